# SPDX-License-Identifier: Apache-2.0
foreach(part config transaction shapes metrics http limits event_stream appservice verification_api)
    voip_test(unit_host_${part} LABEL unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/tst_${part}.cpp
              LINKS bridgehost_core Qt6::Network)
endforeach()
# With the echo plugin's calls as the service behind the call API.
voip_test(unit_host_midcall LABEL unit LINKS bridgehost_core Qt6::Network
          SOURCES ${CMAKE_CURRENT_LIST_DIR}/tst_midcall.cpp ${CMAKE_CURRENT_LIST_DIR}/full_echo.h
                  ${CMAKE_SOURCE_DIR}/tests/contract/echo-plugin/echo_calls.cpp)
