# SPDX-License-Identifier: MIT
#
# What `cmake --install` lays down: header, libraries, a CMake package, a pkg-config file, and the programs that were built. All
# of it is relocatable. (The Python package is pip's: bindings/python.)
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/softlane)

install(FILES include/softlane.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS ${libraries} EXPORT softlane INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT softlane NAMESPACE softlane:: FILE softlane-targets.cmake DESTINATION ${package_dir})

configure_package_config_file(cmake/softlane-config.cmake.in softlane-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(softlane-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/softlane-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/softlane-config-version.cmake
        DESTINATION ${package_dir})

# pkg-config knows where it found the file, and from there the others.
set(pkgconfig_dir ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH up ${pkgconfig_dir} ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH include ${pkgconfig_dir} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(cmake/softlane.pc.in softlane.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/softlane.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(TARGET softlane-info)
  get_property(programs DIRECTORY bench PROPERTY BUILDSYSTEM_TARGETS)
  list(FILTER programs INCLUDE REGEX "^softlane-")
  install(TARGETS ${programs})
endif()
