# SPDX-License-Identifier: MIT
#
# What `cmake --install` lays down: header, libraries, a CMake package and a pkg-config file. All of it is relocatable.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/softlane)
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(FILES include/softlane.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS ${libraries} EXPORT softlane INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT softlane NAMESPACE softlane:: FILE softlane-targets.cmake DESTINATION ${package_dir})

configure_package_config_file(cmake/softlane-config.cmake.in softlane-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(softlane-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/softlane-config.cmake ${PROJECT_BINARY_DIR}/softlane-config-version.cmake
        DESTINATION ${package_dir})

# pkg-config knows where it found the file; from there up to the prefix.
file(RELATIVE_PATH up /${pkgconfig_dir} /)
configure_file(cmake/softlane.pc.in softlane.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/softlane.pc DESTINATION ${pkgconfig_dir})
