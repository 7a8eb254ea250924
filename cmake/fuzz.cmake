# SPDX-License-Identifier: Apache-2.0
# Everything instrumented for libFuzzer (docs/testing.md, "Fuzzing"); scripts/fuzz.sh uses it.
option(RINGCAST_FUZZ "fuzz targets for libFuzzer, with both sanitizers; needs clang" OFF)
if(RINGCAST_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "RINGCAST_FUZZ needs clang: cmake --preset fuzz")
  endif()
  add_compile_options(
    -fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
endif()
