# What `cmake --install` brings, and the package that others find: find_package(Halftone [COMPONENTS Runtime]), or pkg-config halftone-runtime.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The tools find the runtime beside them, and MLIR where it was when they were linked.
set(CMAKE_INSTALL_RPATH $ORIGIN/../${CMAKE_INSTALL_LIBDIR})
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

# halftone_install(TARGET EXPORT): installs a library or tool. Others link Halftone::NAME, the target's name without the project's.
function(halftone_install target export)
  string(REGEX REPLACE "^Halftone" "" name ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS ${target} EXPORT ${export}
          RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endfunction()

# halftone_install_package(): headers, and the files that find_package reads.
function(halftone_install_package)
  set(folder ${CMAKE_INSTALL_LIBDIR}/cmake/Halftone)
  install(DIRECTORY include/halftone-c DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(DIRECTORY include/halftone ${CMAKE_BINARY_DIR}/include/halftone DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
          FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.inc" PATTERN "CMakeFiles" EXCLUDE)
  foreach(export HalftoneTargets HalftoneRuntimeTargets)
    install(EXPORT ${export} NAMESPACE Halftone:: DESTINATION ${folder})
  endforeach()
  configure_package_config_file(cmake/HalftoneConfig.cmake.in ${CMAKE_BINARY_DIR}/HalftoneConfig.cmake INSTALL_DESTINATION ${folder})
  write_basic_package_version_file(${CMAKE_BINARY_DIR}/HalftoneConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  # The package can be moved: its file says where it is from where it lies.
  set(pkgconfig ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  file(RELATIVE_PATH HALFTONE_PREFIX_OF_PKGCONFIG /prefix/${pkgconfig} /prefix)
  configure_file(cmake/halftone-runtime.pc.in ${CMAKE_BINARY_DIR}/halftone-runtime.pc @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/halftone-runtime.pc DESTINATION ${pkgconfig})
  install(FILES ${CMAKE_BINARY_DIR}/HalftoneConfig.cmake ${CMAKE_BINARY_DIR}/HalftoneConfigVersion.cmake DESTINATION ${folder})
endfunction()
