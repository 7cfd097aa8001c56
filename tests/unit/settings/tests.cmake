# SPDX-License-Identifier: Apache-2.0
voip_test(unit_settings LABEL unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/tst_settings.cpp LINKS voip_pipeline voip_test_bridge
          DEFINES "SETTINGS_SCHEMA=\"${CMAKE_SOURCE_DIR}/resources/settings.schema.json\"")
target_include_directories(unit_settings PRIVATE ${CMAKE_SOURCE_DIR}/plugin)
