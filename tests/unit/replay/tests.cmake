# SPDX-License-Identifier: Apache-2.0
foreach(part engine program recorder)
    voip_test(unit_replay_${part} LABEL unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/tst_${part}.cpp LINKS voip_replay
              DEFINES VOIP_REPLAY="$<TARGET_FILE:voip-replay>" SCENARIO_DIR="${CMAKE_SOURCE_DIR}/tests/scenarios")
endforeach()
add_dependencies(unit_replay_program voip-replay)
