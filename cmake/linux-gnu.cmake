# SPDX-License-Identifier: MIT
#
# Cross build for Linux with Debian's cross toolchain; what was built runs in qemu's user mode. Included by a file that sets
# CMAKE_SYSTEM_PROCESSOR and `loader`, the path of libc's dynamic loader.
# clang works too, with gcc's headers, linker and run-time: -DCMAKE_C_COMPILER=clang.
set(CMAKE_SYSTEM_NAME Linux)

set(triple ${CMAKE_SYSTEM_PROCESSOR}-linux-gnu)
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

# Where the target's libc6 is installed (its cmocka needs it), its loader and libc belong together; those of the cross toolchain,
# mixed with them, hang in fork.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-${CMAKE_SYSTEM_PROCESSOR}-static)
if(NOT EXISTS ${loader})
  list(APPEND CMAKE_CROSSCOMPILING_EMULATOR -L /usr/${triple})
endif()
