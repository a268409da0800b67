# Compiler, linker and cache: what every target is built with.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)

# "Dev" optimises a little, since the simulator and the hashes are useless at -O0.
set(CMAKE_CXX_FLAGS_DEV "-O1 -g1")
set(CMAKE_C_FLAGS_DEV "-O1 -g1")
# "Checked" is for what a sanitizer runs once: not optimising halves the time to compile it.
set(CMAKE_CXX_FLAGS_CHECKED "-O0 -g1")
set(CMAKE_C_FLAGS_CHECKED "-O0 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Dev CACHE STRING "" FORCE)
endif()

set(SLIPWAY_SANITIZE "" CACHE STRING "Comma-separated sanitizers for every target")
option(SLIPWAY_FUZZ "Build the fuzz targets (clang)" OFF)

find_program(SLIPWAY_CCACHE ccache)
if(SLIPWAY_CCACHE)
  # Paths below the checkout are made relative, so that two checkouts share one cache.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros ${SLIPWAY_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

find_program(SLIPWAY_MOLD mold)
if(SLIPWAY_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Werror -Wswitch -Wunused-result -Wnon-virtual-dtor
                    -ffunction-sections -fdata-sections -fstack-protector-strong)
add_link_options(-Wl,--gc-sections -Wl,-z,relro,-z,now)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Debian's Abseil was built by g++ 12, which does not yet mangle a template's parameters as clang does
  # since 18. g++ 12's own std::stable_sort uses what it declares deprecated.
  add_compile_options(-Wthread-safety -fclang-abi-compat=17 -Wno-unused-command-line-argument
                      $<$<COMPILE_LANGUAGE:CXX>:-Wno-deprecated-declarations>)
else()
  # g++ 12 sees ghosts in inlined std::string and std::variant code.
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>
                      $<$<COMPILE_LANGUAGE:CXX>:-Wno-maybe-uninitialized>)
endif()
if(SLIPWAY_SANITIZE)
  add_compile_options(-fsanitize=${SLIPWAY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  if(SLIPWAY_SANITIZE MATCHES "thread")
    # Protobuf's headers lay their types out differently when they see the thread sanitizer, and
    # Debian's library was built without it.
    add_compile_options(-U__SANITIZE_THREAD__)
  endif()
  add_link_options(-fsanitize=${SLIPWAY_SANITIZE})
endif()
if(SLIPWAY_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)  # the fuzzer sees the branches of the libraries
endif()

# Headers are named from the root of the repository, so that an #include says its folder.
include_directories(${PROJECT_SOURCE_DIR})
