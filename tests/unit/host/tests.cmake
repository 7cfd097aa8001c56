# SPDX-License-Identifier: Apache-2.0
foreach(part config transaction shapes metrics http event_stream appservice)
    voip_test(unit_host_${part} LABEL unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/tst_${part}.cpp
              LINKS bridgehost_core Qt6::Network)
endforeach()
