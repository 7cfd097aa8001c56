# SPDX-License-Identifier: Apache-2.0
foreach(part alarm outbox lane rooms desk courier)
    voip_test(unit_effects_${part} LABEL unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/tst_${part}.cpp
              LINKS voip_effects voip_test_store voip_test_bridge TIMEOUT 180)
endforeach()
