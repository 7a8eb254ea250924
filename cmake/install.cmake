# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts in place: headers, the library (static and shared), programs,
# the CMake package, the pkg-config file, example configurations, the systemd unit, the
# licence, the documentation. Everything is found relative to itself, so the tree may be moved.
include(CMakePackageConfigHelpers)

set(ringcast_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ringcast)
set(ringcast_soversion ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(ringcast_libraries ringcast)
set_target_properties(ringcast PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${ringcast_soversion})

# The same objects once more as a shared library, unless BUILD_SHARED_LIBS made it the only one.
if(NOT BUILD_SHARED_LIBS)
  add_library(ringcast_shared SHARED $<TARGET_OBJECTS:ringcast> $<TARGET_OBJECTS:ringcast_base>)
  set_target_properties(ringcast_shared PROPERTIES
    OUTPUT_NAME ringcast EXPORT_NAME shared LINKER_LANGUAGE CXX
    VERSION ${PROJECT_VERSION} SOVERSION ${ringcast_soversion})
  target_include_directories(ringcast_shared INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(ringcast_shared PRIVATE PkgConfig::xxhash)
  target_compile_features(ringcast_shared INTERFACE cxx_std_20)
  list(APPEND ringcast_libraries ringcast_shared)
endif()

install(TARGETS ${ringcast_libraries} EXPORT ringcastTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/ringcast DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp")
foreach(program ringcastd ringcast_tool ringlog-publish_tool ringlog-write_tool ringlog-monitor_tool)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()

# CMake package: find_package(ringcast) gives ringcast::ringcast (and ringcast::shared).
install(EXPORT ringcastTargets NAMESPACE ringcast:: DESTINATION ${ringcast_package_dir})
configure_package_config_file(cmake/ringcastConfig.cmake.in ${CMAKE_BINARY_DIR}/ringcastConfig.cmake
  INSTALL_DESTINATION ${ringcast_package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/ringcastConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/ringcastConfig.cmake ${CMAKE_BINARY_DIR}/ringcastConfigVersion.cmake
  DESTINATION ${ringcast_package_dir})

# pkg-config: ringcast.pc.
file(RELATIVE_PATH ringcast_pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" ringcast_pc_prefix "${ringcast_pc_prefix}")
configure_file(cmake/ringcast.pc.in ${CMAKE_BINARY_DIR}/ringcast.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/ringcast.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# Units name programs by their full path, which is known only when installing.
foreach(unit ringcastd.service ringlog-publish@.service)
  install(CODE "file(READ \"${CMAKE_SOURCE_DIR}/conf/${unit}\" unit)
string(REPLACE /usr/bin/ \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/\" unit \"\${unit}\")
file(WRITE \"${CMAKE_BINARY_DIR}/${unit}\" \"\${unit}\")")
  install(FILES ${CMAKE_BINARY_DIR}/${unit} DESTINATION lib/systemd/system)
endforeach()
# The Apache module, where Debian's Apache has its own when the prefix is /usr; its example names
# it by its full path.
if(TARGET mod_log_ringcast)
  install(TARGETS mod_log_ringcast LIBRARY DESTINATION lib/apache2/modules)
  install(CODE "file(READ \"${CMAKE_SOURCE_DIR}/conf/apache2/log_ringcast.load\" load)
string(REPLACE /usr/lib/ \"\${CMAKE_INSTALL_PREFIX}/lib/\" load \"\${load}\")
file(WRITE \"${CMAKE_BINARY_DIR}/log_ringcast.load\" \"\${load}\")")
  install(FILES ${CMAKE_BINARY_DIR}/log_ringcast.load conf/apache2/log_ringcast.conf
    DESTINATION ${CMAKE_INSTALL_DATADIR}/ringcast/conf/apache2)
endif()

install(FILES conf/ringcast.bash-completion RENAME ringcast
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(DIRECTORY conf/ DESTINATION ${CMAKE_INSTALL_DATADIR}/ringcast/conf
  FILES_MATCHING PATTERN "*.toml" PATTERN "*.conf" PATTERN "*.cfg" PATTERN apache2 EXCLUDE)
install(FILES LICENSE README.md CHANGELOG.md ARCHITECTURE.md CONTRIBUTING.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES tools/ringlog-monitor/web/uplot/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME LICENSE.uPlot)
install(DIRECTORY docs examples DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md" PATTERN "*.cpp" PATTERN "CMakeLists.txt")
