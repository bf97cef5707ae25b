# What works at every message becomes a part of the program: gRPC, Protobuf, OpenSSL, zlib, jemalloc. A call into a shared
# library goes through a table, and libraries lie scattered over memory; a ping takes a seventh less processor time without
# (docs/performance.md). The price: a mend of Debian's in one of them reaches a node by a build, not by its next start.
option(SYNOD_STATIC "Link what works at every message into the program" ON)
if(NOT SYNOD_STATIC)
  return()
endif()
set(SYNOD_STATIC_NAMES "grpc\\+\\+|grpc|gpr|upb|address_sorting|cares|absl_[a-z0-9_]+|protobuf|ssl|crypto|z|jemalloc")

# Sets `out` to `places`, with the archive instead of the shared library wherever Debian delivers both.
function(synod_static_places out)
  set(result)
  foreach(place ${ARGN})
    string(REGEX REPLACE "^(/.*/lib(${SYNOD_STATIC_NAMES}))\\.so[.0-9]*$" "\\1.a" archive ${place})
    if(EXISTS ${archive})
      set(place ${archive})
    endif()
    list(APPEND result ${place})
  endforeach()
  set(${out} ${result} PARENT_SCOPE)
endfunction()

# Two of gRPC's functions are replaced by ours (rpc/callback_threads.cc); in an archive they have to give way first.
function(synod_weaken_replaced_functions)
  set(mended ${CMAKE_BINARY_DIR}/libgrpc++.a)
  get_target_property(archive gRPC::grpc++ IMPORTED_LOCATION_NONE)
  if(NOT archive MATCHES "\\.a$")
    return()  # a shared library's functions give way by themselves
  endif()
  execute_process(
    COMMAND ${CMAKE_OBJCOPY} --weaken-symbol=_ZN4grpc15CompletionQueue21CallbackAlternativeCQEv
            --weaken-symbol=_ZN4grpc15CompletionQueue28ReleaseCallbackAlternativeCQEPS0_ ${archive} ${mended}.new
            COMMAND_ERROR_IS_FATAL ANY)
  file(COPY_FILE ${mended}.new ${mended} ONLY_IF_DIFFERENT)  # so that not everything is linked anew
  set_target_properties(gRPC::grpc++ PROPERTIES IMPORTED_LOCATION_NONE ${mended})
endfunction()

get_property(imported DIRECTORY PROPERTY IMPORTED_TARGETS)
foreach(target ${imported})
  foreach(property IMPORTED_LOCATION IMPORTED_LOCATION_NONE IMPORTED_LOCATION_RELEASE INTERFACE_LINK_LIBRARIES)
    get_target_property(places ${target} ${property})
    if(places)
      synod_static_places(places ${places})
      set_target_properties(${target} PROPERTIES ${property} "${places}")
    endif()
  endforeach()
endforeach()
synod_weaken_replaced_functions()
# librdkafka, libpq and libzip bring their own shared OpenSSL and zlib; none may take ours for them.
add_link_options(-Wl,--exclude-libs=libcrypto.a -Wl,--exclude-libs=libssl.a -Wl,--exclude-libs=libz.a)
set(CMAKE_SKIP_RPATH ON)  # nothing of ours is a shared library
# What the shared libraries bring along by themselves.
set_property(TARGET gRPC::grpc APPEND PROPERTY INTERFACE_LINK_LIBRARIES OpenSSL::SSL ZLIB::ZLIB)
