# protoc and the gRPC plugin: one library per proto package.

find_package(Protobuf REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(absl REQUIRED)

# The archives of gRPC, Protobuf and Abseil instead of their 80 shared objects: an idle agent is
# a third smaller and `--version` answers in a millisecond or two instead of ten. libssl, libcrypto
# and libc stay shared, since they are what a distribution patches in a hurry.
# Sanitized builds keep them shared: suppressions name a library, and inside ours gRPC has no name.
option(SLIPWAY_STATIC_GRPC "Link gRPC, Protobuf and Abseil from their archives" ON)
if(SLIPWAY_STATIC_GRPC AND NOT SLIPWAY_SANITIZE)
  get_property(imported DIRECTORY ${PROJECT_SOURCE_DIR} PROPERTY IMPORTED_TARGETS)
  foreach(target ${imported})
    if(NOT target MATCHES "^(absl|gRPC|protobuf|re2|c-ares)::")
      continue()
    endif()
    get_target_property(type ${target} TYPE)
    if(NOT type STREQUAL "SHARED_LIBRARY" AND NOT type STREQUAL "UNKNOWN_LIBRARY")
      continue()
    endif()
    foreach(property IMPORTED_LOCATION IMPORTED_LOCATION_NONE IMPORTED_LOCATION_RELEASE)
      get_target_property(shared ${target} ${property})
      string(REGEX REPLACE "[.]so[.0-9]*$" ".a" archive "${shared}")
      if(shared AND EXISTS ${archive})
        set_target_properties(${target} PROPERTIES ${property} ${archive})
      endif()
    endforeach()
  endforeach()
  # Found through pkg-config, so that it has no location of its own.
  find_library(SLIPWAY_RE2_ARCHIVE libre2.a)
  if(TARGET re2::re2 AND SLIPWAY_RE2_ARCHIVE)
    set_target_properties(re2::re2 PROPERTIES INTERFACE_LINK_LIBRARIES ${SLIPWAY_RE2_ARCHIVE})
  endif()
endif()

# Generated code is not what a sanitizer is for, and costs five times the rest to compile under one.
set(SLIPWAY_GENERATED_OPTIONS -w)
if(SLIPWAY_SANITIZE)
  list(APPEND SLIPWAY_GENERATED_OPTIONS -O0 -fno-sanitize=all)
endif()

# slipway_proto(name PROTOS a.proto ... [SERVICES a.proto ...] [DEPS ...])
#
# Makes library `name` with the messages of PROTOS and, for those in SERVICES,
# library `name_grpc` with the stubs. `.grpc.pb.h` costs seconds an include and
# is seen by .cc files only.
function(slipway_proto name)
  cmake_parse_arguments(ARG "" "" "PROTOS;SERVICES;DEPS" ${ARGN})
  set(out ${PROJECT_BINARY_DIR}/gen)
  file(MAKE_DIRECTORY ${out})
  set(sources)
  foreach(proto ${ARG_PROTOS})
    string(REPLACE ".proto" "" base ${proto})
    add_custom_command(
      OUTPUT ${out}/${base}.pb.cc ${out}/${base}.pb.h
      COMMAND protobuf::protoc -I ${PROJECT_SOURCE_DIR}/proto --cpp_out=${out} ${proto}
      DEPENDS ${PROJECT_SOURCE_DIR}/proto/${proto} VERBATIM)
    list(APPEND sources ${out}/${base}.pb.cc)
  endforeach()
  add_library(${name} STATIC ${sources})
  set_target_properties(${name} PROPERTIES UNITY_BUILD OFF)  # protoc repeats its names in each file
  target_include_directories(${name} SYSTEM PUBLIC ${out})
  target_compile_options(${name} PRIVATE ${SLIPWAY_GENERATED_OPTIONS})
  target_link_libraries(${name} PUBLIC protobuf::libprotobuf ${ARG_DEPS})

  if(ARG_SERVICES)
    set(stubs)
    foreach(proto ${ARG_SERVICES})
      string(REPLACE ".proto" "" base ${proto})
      add_custom_command(
        OUTPUT ${out}/${base}.grpc.pb.cc ${out}/${base}.grpc.pb.h
        COMMAND protobuf::protoc -I ${PROJECT_SOURCE_DIR}/proto --grpc_out=${out}
                --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin> ${proto}
        DEPENDS ${PROJECT_SOURCE_DIR}/proto/${proto} VERBATIM)
      list(APPEND stubs ${out}/${base}.grpc.pb.cc)
    endforeach()
    add_library(${name}_grpc STATIC ${stubs})
    set_target_properties(${name}_grpc PROPERTIES UNITY_BUILD OFF)
    target_compile_options(${name}_grpc PRIVATE ${SLIPWAY_GENERATED_OPTIONS})
    target_link_libraries(${name}_grpc PUBLIC ${name} gRPC::grpc++)
  endif()
endfunction()
