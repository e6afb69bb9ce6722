# SPDX-License-Identifier: MIT
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(loader /lib/ld-linux-aarch64.so.1)
include(${CMAKE_CURRENT_LIST_DIR}/linux-gnu.cmake)
