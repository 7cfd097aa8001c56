# SPDX-License-Identifier: Apache-2.0
voip_test(unit_secrets LABEL unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/tst_secrets.cpp LINKS voip_secrets)

# The one test that needs a bus: started by with-keyring.
add_executable(unit_keychain ${CMAKE_CURRENT_LIST_DIR}/tst_keychain.cpp)
target_link_libraries(unit_keychain PRIVATE Qt6::Test voip_secrets)
add_test(NAME unit_keychain COMMAND ${CMAKE_CURRENT_LIST_DIR}/with-keyring $<TARGET_FILE:unit_keychain>)
set_tests_properties(unit_keychain PROPERTIES LABELS unit TIMEOUT 60)
