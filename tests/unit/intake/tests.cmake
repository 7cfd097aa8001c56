# SPDX-License-Identifier: Apache-2.0
foreach(part router intake shared)
    voip_test(unit_intake_${part} LABEL unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/tst_${part}.cpp
              LINKS voip_intake voip_test_store voip_test_bridge)
endforeach()
