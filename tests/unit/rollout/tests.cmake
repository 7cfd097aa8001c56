# SPDX-License-Identifier: Apache-2.0
voip_test(unit_rollout LABEL unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/tst_rollout.cpp LINKS voip_rollout)
