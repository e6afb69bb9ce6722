# SPDX-License-Identifier: MIT
"""Conan 2 recipe: `conan create packaging/conan` builds this tree, offline, and tests it in tests/consumer."""
import re
from pathlib import Path

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, rmdir


class Softlane(ConanFile):
    name = "softlane"
    license = "MIT"
    description = "SIMD kernels for the last layer of a classifier"
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False]}
    default_options = {"shared": False}
    languages = "C"

    @property
    def _root(self):
        return Path(self.recipe_folder).parent.parent

    def set_version(self):
        header = (self._root / "include" / "softlane.h").read_text()
        self.version = re.search(r'#define SOFTLANE_VERSION "(.*)"', header)[1]

    def export_sources(self):
        for what in "CMakeLists.txt", "LICENSE", "include/*", "kernels/*", "cmake/*":
            copy(self, what, self._root, self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        for what in "TESTS", "BENCH", "EXAMPLES":
            toolchain.cache_variables[f"SOFTLANE_BUILD_{what}"] = False
        toolchain.cache_variables["SOFTLANE_BUILD_SHARED"] = bool(self.options.shared)
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, Path(self.package_folder) / "licenses")
        CMake(self).install()
        for written_by_conan in "cmake", "pkgconfig":
            rmdir(self, Path(self.package_folder) / "lib" / written_by_conan)

    def package_info(self):
        self.cpp_info.libs = ["softlane"]
        self.cpp_info.set_property("cmake_target_name", "softlane::softlane")
        self.cpp_info.set_property("cmake_target_aliases", [] if self.options.shared else ["softlane::softlane_static"])
