# SPDX-License-Identifier: Apache-2.0
voip_test(unit_secrets LABEL unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/tst_secrets.cpp LINKS voip_secrets)
