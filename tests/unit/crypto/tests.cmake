# SPDX-License-Identifier: Apache-2.0
foreach(part encoding signature seal backend machine attack_events attack_olm attack_keys
             attack_answers attack_state walk secretstorage sas verifications)
    voip_test(unit_crypto_${part} LABEL unit TIMEOUT 300 SOURCES ${CMAKE_CURRENT_LIST_DIR}/tst_${part}.cpp LINKS voip_crypto)
endforeach()
