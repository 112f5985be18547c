# One interface target carries what all of Skua's own code is compiled with.
add_library(skua_options INTERFACE)
target_include_directories(skua_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(skua_options INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # As clang does by itself; but not in a unity build, where a source is an included file.
  target_compile_options(skua_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wunused-const-variable=1>)
  if(CMAKE_UNITY_BUILD)
    # There gcc takes every type of a source for one of a header.
    target_compile_options(skua_options INTERFACE -Wno-subobject-linkage)
  endif()
endif()
if(SKUA_WERROR)
  target_compile_options(skua_options INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Which thread may touch what is checked by the compiler: daemon/base/thread_annotations.h.
  target_compile_options(skua_options INTERFACE -Wthread-safety -Werror=thread-safety)
endif()
if(SKUA_SANITIZE)
  add_compile_options(-fsanitize=${SKUA_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SKUA_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # clang 14 cannot compile a coroutine with it: "Cannot represent a difference across sections". gcc does not have it.
    add_compile_options(-fno-sanitize=function)
  endif()
endif()

# skua_precompile(target owner [headers...]) compiles a target with the headers that nearly every file includes, and with
# those named, read once, for the owner, which is compiled with the same options.
function(skua_precompile target owner)
  if(target STREQUAL owner)
    target_precompile_headers(${target} PRIVATE
      <algorithm> <array> <chrono> <deque> <functional> <map> <memory> <optional> <string> <string_view> <unordered_map>
      <utility> <variant> <vector> <fmt/format.h> <capnp/message.h> <capnp/serialize.h> <protocol/skua.capnp.h> ${ARGN})
  else()
    target_precompile_headers(${target} REUSE_FROM ${owner})
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fpch-preprocess)  # for ccache
  else()
    target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")  # so too
  endif()
endfunction()

# skua_precompiled(target) does so for what users get. The release preset does without: with optimisation gcc 12 takes what
# comes out of a precompiled standard header for our code and warns of it, and there a forgotten #include is an error.
function(skua_precompiled target)
  if(CMAKE_BUILD_TYPE STREQUAL "Debug")
    skua_precompile(${target} skua_protocol)
  endif()
endfunction()

# skua_library(name SOURCES... DEPENDS...) is a static library of Skua's own code.
function(skua_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  # Our warnings and the root of our sources are not for those who use an installed library.
  target_link_libraries(${name} PUBLIC $<BUILD_INTERFACE:skua_options> ${arg_DEPENDS})
  skua_precompiled(${name})
endfunction()
