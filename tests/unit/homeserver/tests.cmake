# SPDX-License-Identifier: Apache-2.0
include(${CMAKE_SOURCE_DIR}/tests/support/fakehttp/fakehttp.cmake)
foreach(part answer client faults caches session syncanswer syncloop)
    voip_test(unit_homeserver_${part} LABEL unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/tst_${part}.cpp
              LINKS voip_homeserver fakehttp)
endforeach()
