# SPDX-License-Identifier: Apache-2.0
foreach(part encoding signature seal backend machine attack_events attack_olm attack_keys
             attack_answers attack_state walk secretstorage sas verifications keybackup backuppk)
    voip_test(unit_crypto_${part} LABEL unit TIMEOUT 300 SOURCES ${CMAKE_CURRENT_LIST_DIR}/tst_${part}.cpp LINKS voip_crypto)
endforeach()
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
foreach(part keybackup backuppk) # they read by themselves what was sealed
    target_link_libraries(unit_crypto_${part} PRIVATE OpenSSL::Crypto)
endforeach()
