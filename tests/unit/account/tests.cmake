# SPDX-License-Identifier: Apache-2.0
voip_test(unit_account_backupsearch LABEL unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/tst_backupsearch.cpp
          LINKS voip_pipeline fakehttp)
target_include_directories(unit_account_backupsearch PRIVATE ${CMAKE_SOURCE_DIR}/plugin)
