# SPDX-License-Identifier: MIT
#
# Cross build for WebAssembly with WASI, by clang and Debian's wasi-libc; what was built runs in Node.
set(CMAKE_SYSTEM_NAME Generic) # CMake 3.25 knows no WASI
set(CMAKE_SYSTEM_PROCESSOR wasm32)

if(NOT CMAKE_C_COMPILER)
  set(CMAKE_C_COMPILER clang-19)
endif()
set(CMAKE_C_COMPILER_TARGET wasm32-wasi)
string(REGEX MATCH "-[0-9]+$" version ${CMAKE_C_COMPILER})
foreach(tool ar ranlib nm objdump)
  string(TOUPPER ${tool} variable)
  set(CMAKE_${variable} llvm-${tool}${version} CACHE FILEPATH "")
endforeach()

# The tests want more than the 64 KiB of stack that the linker gives, and print long doubles.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,-z,stack-size=1048576 -lc-printscan-long-double")

set(CMAKE_FIND_ROOT_PATH /usr/lib/wasm32-wasi /usr/include/wasm32-wasi)
foreach(what LIBRARY INCLUDE PACKAGE)
  set(CMAKE_FIND_ROOT_PATH_MODE_${what} ONLY)
endforeach()
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)

# Before version 20 WASI needs the option that later ones ignore.
set(CMAKE_CROSSCOMPILING_EMULATOR node --no-warnings --experimental-wasi-unstable-preview1
                                  ${CMAKE_CURRENT_LIST_DIR}/../scripts/in_node.mjs)
