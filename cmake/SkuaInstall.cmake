# What `cmake --install` puts where. Components: programs, service, library (what programs in C need to run), development.
#
# For other builds there are a CMake package, Skua, with the targets Skua::skua (C), Skua::client and Skua::engine (C++), and the
# pkg-config files skua, skua-client and skua-engine. Both find the tree wherever it was put or moved to.
include(CMakePackageConfigHelpers)

set(SKUA_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Skua)

# skua_install_archives(component TARGETS...) exports static libraries of Skua's own code as Skua::NAME, where NAME is the
# target's EXPORT_NAME; the package loads them as that component, with what cmake/SkuaConfig.cmake.in finds for it.
function(skua_install_archives component)
  install(TARGETS ${ARGN} EXPORT Skua_${component}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
  install(EXPORT Skua_${component} NAMESPACE Skua:: FILE Skua_${component}.cmake
    DESTINATION ${SKUA_PACKAGE_DIR} COMPONENT development)
endfunction()

# skua_install_pkg_config(name) makes NAME.pc of cmake/NAME.pc.in.
function(skua_install_pkg_config name)
  set(folder ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  file(RELATIVE_PATH up /prefix/${folder} /prefix)
  string(REGEX REPLACE "/$" "" up "${up}")
  set(SKUA_PC_PREFIX "\${pcfiledir}/${up}")
  configure_file(${PROJECT_SOURCE_DIR}/cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${folder} COMPONENT development)
endfunction()

# ---- programs

install(TARGETS skuad skua-cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT programs)
if(SKUA_BENCH)
  install(TARGETS skua-bench RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT programs)
endif()
install(FILES LICENSE systemd/skua.toml DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT programs)

# ---- the service

# systemd looks below /usr/local, too: systemd.unit(5), sysusers.d(5).
install(FILES systemd/skua.socket DESTINATION lib/systemd/system COMPONENT service)
install(FILES systemd/skua.sysusers DESTINATION lib/sysusers.d RENAME skua.conf COMPONENT service)
# Where the program is, is known when it is installed.
install(CODE "
  file(READ \"${PROJECT_SOURCE_DIR}/systemd/skua.service\" unit)
  string(REPLACE /usr/bin/skuad \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/skuad\" unit \"\${unit}\")
  set(installed \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system/skua.service\")
  message(STATUS \"Installing: \$ENV{DESTDIR}\${installed}\")
  file(WRITE \"\$ENV{DESTDIR}\${installed}\" \"\${unit}\")
  file(CHMOD \"\$ENV{DESTDIR}\${installed}\" PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
  list(APPEND CMAKE_INSTALL_MANIFEST_FILES \"\${installed}\")
" COMPONENT service)

# ---- the C library

install(TARGETS skua_c EXPORT Skua_skua
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library NAMELINK_COMPONENT development)
install(EXPORT Skua_skua NAMESPACE Skua:: FILE Skua_skua.cmake DESTINATION ${SKUA_PACKAGE_DIR} COMPONENT development)
install(FILES client/include/skua.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
skua_install_pkg_config(skua)

# ---- the C++ client and the engine

# In a folder of their own: "protocol/" is nobody's name.
install(DIRECTORY client/include/skua DESTINATION ${SKUA_CPP_INCLUDE_DIR} COMPONENT development)
# What the public headers include; they need no other, and no Cap'n Proto.
install(FILES
    protocol/column_info.h protocol/column_view.h protocol/error.h protocol/locks.h protocol/result.h protocol/summary.h
    protocol/value.h
  DESTINATION ${SKUA_CPP_INCLUDE_DIR}/protocol COMPONENT development)
skua_install_archives(client skua skua_protocol skua_wire)
skua_install_pkg_config(skua-client)
skua_install_archives(engine skua_engine_client)
skua_install_pkg_config(skua-engine)

# ---- the CMake package

configure_package_config_file(cmake/SkuaConfig.cmake.in ${PROJECT_BINARY_DIR}/SkuaConfig.cmake
  INSTALL_DESTINATION ${SKUA_PACKAGE_DIR} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the C++ client.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/SkuaConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/SkuaConfig.cmake ${PROJECT_BINARY_DIR}/SkuaConfigVersion.cmake
  DESTINATION ${SKUA_PACKAGE_DIR} COMPONENT development)
