# SPDX-License-Identifier: Apache-2.0
# fakehttp: an HTTP server for tests that misbehaves on demand. Include this file wherever it is needed.
if(NOT TARGET fakehttp)
    add_library(fakehttp STATIC ${CMAKE_SOURCE_DIR}/tests/support/fakehttp/fakehttp.cpp
                                ${CMAKE_SOURCE_DIR}/tests/support/fakehttp/fakehttp.h)
    target_include_directories(fakehttp PUBLIC ${CMAKE_SOURCE_DIR}/tests/support/fakehttp)
    target_link_libraries(fakehttp PUBLIC Qt6::Network)
endif()
