# SPDX-License-Identifier: Apache-2.0
foreach(part types candidate transition walk)
    voip_test(unit_call_${part} LABEL unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/tst_${part}.cpp LINKS voip_call)
endforeach()
