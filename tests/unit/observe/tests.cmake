# SPDX-License-Identifier: Apache-2.0
voip_test(unit_observe LABEL unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/tst_observe.cpp LINKS voip_observe)
