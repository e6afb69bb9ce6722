# SPDX-License-Identifier: MIT
#
# Cross build for 64-bit RISC-V by clang 19, with Debian's cross libraries; what was built runs in qemu's user mode, on the CPU
# model that the environment variable QEMU_CPU names: QEMU_CPU=rv64,v=true,vlen=256,elen=64,vext_spec=v1.0 ctest ...
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR riscv64)

set(triple riscv64-linux-gnu)
if(NOT CMAKE_C_COMPILER)
  set(CMAKE_C_COMPILER clang-19)
endif()
set(CMAKE_C_COMPILER_TARGET ${triple})
foreach(kind EXE SHARED)
  set(CMAKE_${kind}_LINKER_FLAGS_INIT -fuse-ld=lld)
endforeach()
foreach(tool nm objdump) # clang would take those of this machine
  string(TOUPPER ${tool} variable)
  set(CMAKE_${variable} ${triple}-${tool} CACHE FILEPATH "")
endforeach()

set(CMAKE_LIBRARY_ARCHITECTURE ${triple})
set(CMAKE_FIND_ROOT_PATH /usr/${triple})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)

set(CMAKE_CROSSCOMPILING_EMULATOR qemu-riscv64-static -L /usr/${triple})
