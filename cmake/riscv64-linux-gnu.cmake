# SPDX-License-Identifier: MIT
#
# 64-bit RISC-V, by clang 19, on the CPU model that the environment variable QEMU_CPU names:
# QEMU_CPU=rv64,v=true,vlen=256,elen=64,vext_spec=v1.0 ctest ...
set(CMAKE_SYSTEM_PROCESSOR riscv64)
set(loader /lib/ld-linux-riscv64-lp64d.so.1)
if(NOT CMAKE_C_COMPILER)
  set(CMAKE_C_COMPILER clang-19)
endif()
foreach(kind EXE SHARED)
  set(CMAKE_${kind}_LINKER_FLAGS_INIT -fuse-ld=lld)
endforeach()
include(${CMAKE_CURRENT_LIST_DIR}/linux-gnu.cmake)
