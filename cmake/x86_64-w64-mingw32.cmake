# SPDX-License-Identifier: MIT
#
# Cross build for Windows by clang, with the headers, libraries and linker of Debian's mingw-w64; what was built runs in Wine.
# (gcc is refused by isa/avx2.h.) Programs need no library beside them but softlane's own.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

set(triple x86_64-w64-mingw32)
if(NOT CMAKE_C_COMPILER)
  set(CMAKE_C_COMPILER clang-19) # 14 does not find Debian's libgcc
endif()
set(CMAKE_C_COMPILER_TARGET ${triple})
foreach(tool ar nm objdump ranlib)
  string(TOUPPER ${tool} variable)
  set(CMAKE_${variable} ${triple}-${tool} CACHE FILEPATH "")
endforeach()
set(CMAKE_RC_COMPILER ${triple}-windres)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
set(CMAKE_SHARED_LINKER_FLAGS_INIT -static)

set(CMAKE_FIND_ROOT_PATH /usr/${triple})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
foreach(kind LIBRARY INCLUDE PACKAGE)
  set(CMAKE_FIND_ROOT_PATH_MODE_${kind} ONLY)
endforeach()

find_program(SOFTLANE_WINE NAMES wine64 wine PATHS /usr/lib/wine)
set(CMAKE_CROSSCOMPILING_EMULATOR ${SOFTLANE_WINE})
