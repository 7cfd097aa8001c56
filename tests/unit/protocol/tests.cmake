# SPDX-License-Identifier: Apache-2.0
foreach(part read malformed samples sdp write)
    voip_test(unit_protocol_${part} LABEL unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/tst_${part}.cpp LINKS voip_protocol
              DEFINES SAMPLE_DIR="${CMAKE_SOURCE_DIR}/tests/support/samples")
endforeach()
