# SPDX-License-Identifier: Apache-2.0
voip_test(unit_secrets LABEL unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/tst_secrets.cpp LINKS voip_secrets)

# The one that needs a bus: see tests/support/keyring.
add_executable(unit_keychain ${CMAKE_CURRENT_LIST_DIR}/tst_keychain.cpp)
target_link_libraries(unit_keychain PRIVATE voip_test_keyring voip_secrets)
add_test(NAME unit_keychain COMMAND ${WITH_KEYRING} $<TARGET_FILE:unit_keychain>)
set_tests_properties(unit_keychain PROPERTIES LABELS unit TIMEOUT 60)
