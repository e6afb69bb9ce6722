# SPDX-License-Identifier: MIT
#
# Big-endian.
set(CMAKE_SYSTEM_PROCESSOR s390x)
set(loader /lib/ld64.so.1)
include(${CMAKE_CURRENT_LIST_DIR}/linux-gnu.cmake)
