# SPDX-License-Identifier: MIT
#
# Cross build for AArch64 with Debian's cross toolchain; what was built runs in qemu's user mode.
# clang works too, with gcc's headers, linker and run-time: -DCMAKE_C_COMPILER=clang.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

set(triple aarch64-linux-gnu)
if(NOT CMAKE_C_COMPILER)
  set(CMAKE_C_COMPILER ${triple}-gcc)
endif()
set(CMAKE_C_COMPILER_TARGET ${triple}) # for clang; gcc has it in its name
foreach(tool nm objdump) # clang would take those of this machine
  string(TOUPPER ${tool} variable)
  set(CMAKE_${variable} ${triple}-${tool} CACHE FILEPATH "")
endforeach()

set(CMAKE_LIBRARY_ARCHITECTURE ${triple})
set(CMAKE_FIND_ROOT_PATH /usr/${triple})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)

# Where libc6:arm64 is installed (cmocka's needs it), its loader and libc belong together; those of the cross toolchain,
# mixed with them, hang in fork.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static)
if(NOT EXISTS /lib/ld-linux-aarch64.so.1)
  list(APPEND CMAKE_CROSSCOMPILING_EMULATOR -L /usr/${triple})
endif()
