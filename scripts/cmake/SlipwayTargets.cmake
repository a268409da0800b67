# slipway_library, slipway_binary, slipway_test, slipway_fuzz: the four kinds of target.

find_package(PkgConfig REQUIRED)
find_package(absl REQUIRED)
find_package(GTest REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Threads REQUIRED)
find_package(spdlog REQUIRED)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(FYAML REQUIRED IMPORTED_TARGET libfyaml)

# What presets "asan" and "fuzz" build: all of a kind, so that none is forgotten.
add_custom_target(all_libraries)
add_custom_target(all_quick_tests)  # no simulations, no processes: they run again under asan
add_custom_target(all_fuzzers)

# Sources of a target are compiled several at a time (CMake's unity builds) in all presets but
# "dev": half of what a file costs is reading headers that its neighbours read too. So two files of one
# target may not give one name of their own to different things; where they do for a good reason,
# the second one stands under APART and is compiled by itself.
function(slipway_apart)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
# A file alone gains nothing, and what its classes hold of its own would look included.
function(slipway_alone name)
  list(LENGTH ARGN files)
  if(files EQUAL 1)
    set_target_properties(${name} PROPERTIES UNITY_BUILD OFF)
  endif()
endfunction()

# slipway_library(name SOURCES a.cc ... [APART b.cc ...] [DEPS ...])
function(slipway_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;APART;DEPS" ${ARGN})
  if(ARG_SOURCES)
    slipway_apart(${ARG_APART})
    add_library(${name} STATIC ${ARG_SOURCES} ${ARG_APART})
    slipway_alone(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PUBLIC ${ARG_DEPS})
    add_dependencies(all_libraries ${name})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ARG_DEPS})
  endif()
endfunction()

# slipway_binary(name [LEAN [SHARED_RUNTIME]] SOURCES main.cc ... [DEPS ...])
#
# LEAN is for programs that run on each host or start often: the C++ runtime is linked into them,
# gRPC's xDS left out, and libcrypto, which looks 4,000 of its own names up at each start, comes first
# among the shared libraries. A program that uses a shared library of C++ says SHARED_RUNTIME, or it
# would have two of them.
function(slipway_binary name)
  cmake_parse_arguments(ARG "LEAN;SHARED_RUNTIME" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  slipway_alone(${name} ${ARG_SOURCES})
  if(ARG_LEAN)
    target_link_libraries(${name} PRIVATE OpenSSL::Crypto)
  endif()
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  if(ARG_LEAN AND SLIPWAY_STATIC_GRPC AND NOT SLIPWAY_SANITIZE)
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/common/grpc_without_xds.cc)
    if(NOT ARG_SHARED_RUNTIME)
      target_link_options(${name} PRIVATE -static-libstdc++ -static-libgcc)
    endif()
  endif()
endfunction()

# slipway_test(name SOURCES a_test.cc ... [APART b_test.cc ...] [DEPS ...] [LABEL unit] [TIMEOUT 60] [ARGS ...])
#
# One binary per folder keeps linking cheap; CTest runs it whole. Suites are compiled into
# the binary itself: a static library would silently drop self-registering tests.
# LABEL is one of unit, property, scenario, conformance, sim, integration, hostile, kills.
function(slipway_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;APART;DEPS;ARGS" ${ARGN})
  slipway_apart(${ARG_APART})
  add_executable(${name} ${ARG_SOURCES} ${ARG_APART})
  slipway_alone(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name} ${ARG_ARGS} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  if(SLIPWAY_SANITIZE)
    math(EXPR ARG_TIMEOUT "4 * ${ARG_TIMEOUT}")  # what a sanitizer costs
  endif()
  if(NOT ARG_LABEL MATCHES "^(unit|property|scenario|conformance|sim|integration|hostile|kills)$")
    message(FATAL_ERROR "${name}: no such LABEL: ${ARG_LABEL}")
  endif()
  if(NOT ARG_LABEL MATCHES "^(sim|integration|hostile|kills)$")
    add_dependencies(all_quick_tests ${name})
  endif()
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "SLIPWAY_SOURCE_DIR=${PROJECT_SOURCE_DIR};SLIPWAY_BINARY_DIR=${PROJECT_BINARY_DIR}")
  # The lint that finds forgotten tests reads this list.
  foreach(source ${ARG_SOURCES} ${ARG_APART})
    file(REAL_PATH ${source} path BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    set_property(GLOBAL APPEND PROPERTY SLIPWAY_TEST_SOURCES ${path})
  endforeach()
endfunction()

# slipway_fuzz(name SOURCES x_fuzz.cc [DEPS ...])
#
# In preset "fuzz" a libFuzzer target that begins with what tests/fuzz/corpus/NAME holds and fuzzes for
# SLIPWAY_FUZZ_SECONDS of the environment (10); what it learns stays in the build folder. The seed is
# always the same, so that it is the code that fails a run and not chance; SLIPWAY_FUZZ_SEED=0 is
# chance. In all other presets a unit test that runs the target once over each of those files.
function(slipway_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  set(kept ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
  if(NOT SLIPWAY_FUZZ)
    slipway_test(${name} SOURCES ${ARG_SOURCES} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus_test.cc
                 DEPS ${ARG_DEPS})
    target_compile_definitions(${name} PRIVATE SLIPWAY_CORPUS="tests/fuzz/corpus/${name}")
    return()
  endif()
  foreach(source ${ARG_SOURCES} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus_test.cc)
    file(REAL_PATH ${source} path BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    set_property(GLOBAL APPEND PROPERTY SLIPWAY_TEST_SOURCES ${path})
  endforeach()
  add_executable(${name} ${ARG_SOURCES})
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  add_dependencies(all_fuzzers ${name})
  set(learned ${PROJECT_BINARY_DIR}/corpus/${name})
  file(MAKE_DIRECTORY ${learned})
  add_test(NAME ${name} COMMAND sh -c "exec \"$@\" -seed=\${SLIPWAY_FUZZ_SEED:-1} -max_total_time=\${SLIPWAY_FUZZ_SECONDS:-10}" sh
           $<TARGET_FILE:${name}> ${learned} ${kept} -timeout=25 -rss_limit_mb=2048 -print_final_stats=1
           -artifact_prefix=${learned}-)
  set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 600)
endfunction()
