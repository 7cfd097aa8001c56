# SPDX-License-Identifier: Apache-2.0
voip_test(unit_store SOURCES ${CMAKE_CURRENT_LIST_DIR}/tst_store_units.cpp LINKS voip_store LABEL unit)
