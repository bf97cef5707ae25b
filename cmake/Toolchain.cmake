# How everything is compiled.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

set(SYNOD_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined or thread")

add_library(synod_flags INTERFACE)
target_compile_options(synod_flags INTERFACE -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees an overflow in every "text" + std::string that is inlined, and values that are not set in variants and
  # optionals. What several files compiled as one keep to themselves it takes for a header's.
  target_compile_options(synod_flags INTERFACE -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread
                                               -Wno-array-bounds -Wno-maybe-uninitialized -Wno-subobject-linkage)
endif()
target_include_directories(synod_flags INTERFACE ${CMAKE_SOURCE_DIR})
if(SYNOD_SANITIZE)
  add_compile_options(-fsanitize=${SYNOD_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SYNOD_SANITIZE})
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # What ccache asks for when headers are precompiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # No garbage is collected below half a gigabyte: few files get there, and collecting took up to a tenth of the time. The
  # biggest takes 1.2 GB.
  add_compile_options(--param=ggc-min-heapsize=524288)
endif()

# Linking is where memory goes: one at a time.
set_property(GLOBAL APPEND PROPERTY JOB_POOLS link_pool=1)
set(CMAKE_JOB_POOL_LINK link_pool)

# Two thirds of a compilation went into the standard library's headers.
add_compile_options(-pthread)  # some libraries ask for it, and what is precompiled has to suit all
option(SYNOD_PRECOMPILE "Precompile the headers that nearly all files include" ON)
# The first target that is compiled in a way makes them, for all others of that way.
function(synod_precompile target)
  cmake_parse_arguments(ARG "" "REUSE" "HEADERS" ${ARGN})
  if(NOT SYNOD_PRECOMPILE)
    return()
  endif()
  if(ARG_REUSE)
    target_precompile_headers(${target} REUSE_FROM ${ARG_REUSE})
  else()
    target_precompile_headers(${target} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/library_headers.h ${ARG_HEADERS})
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CCACHE_PROGRAM)
    target_compile_options(${target} PRIVATE -fpch-preprocess)
  endif()
endfunction()
