# SPDX-License-Identifier: MIT
#
# The native build, but everything that was built runs in qemu's user mode, on the CPU model that the environment
# variable QEMU_CPU names: QEMU_CPU=Nehalem ctest ...
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

set(CMAKE_CROSSCOMPILING_EMULATOR qemu-x86_64-static)
