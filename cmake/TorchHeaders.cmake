# Finds the C++ headers of exactly the libtorch that the preset carries.
#
# A user's own libtorch: -DJLOSS_TORCH_INCLUDE=<dir with ATen/ and torch/>. Otherwise the headers come
# from PyPI: the preset ships none, and the Windows CPU wheel is the smallest with the x86 vector
# headers (they are the same files). It is fetched once into JLOSS_CACHE.

set(JLOSS_TORCH_VERSION 2.10.0)
set(JLOSS_TORCH_WHEEL torch-2.10.0-cp311-cp311-win_amd64.whl)
set(JLOSS_TORCH_WHEEL_SHA256 29b7009dba4b7a1c960260fc8ac85022c784250af43af9fb0ebafc9883782ebd)

if(DEFINED ENV{XDG_CACHE_HOME} AND NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
  set(_cache "$ENV{XDG_CACHE_HOME}/jloss")
else()
  set(_cache "$ENV{HOME}/.cache/jloss")
endif()
set(JLOSS_CACHE "${_cache}" CACHE PATH "Where downloaded headers are kept")
set(JLOSS_TORCH_INCLUDE "" CACHE PATH "Include folder of a libtorch ${JLOSS_TORCH_VERSION}; empty: from PyPI")

function(_jloss_fetch_headers into)
  find_program(PYTHON3 NAMES python3 python REQUIRED)
  set(download "${JLOSS_CACHE}/download")
  file(MAKE_DIRECTORY "${download}")
  message(STATUS "jloss: fetching the headers of torch ${JLOSS_TORCH_VERSION} (114 MB, once)")
  execute_process(
    COMMAND "${PYTHON3}" -m pip download --quiet --no-deps --only-binary=:all:
            --platform win_amd64 --python-version 3.11 --dest "${download}"
            "torch==${JLOSS_TORCH_VERSION}"
    RESULT_VARIABLE failed ERROR_VARIABLE why)
  if(failed)
    message(FATAL_ERROR "jloss: could not download torch ${JLOSS_TORCH_VERSION} by pip, whose headers "
                        "the build needs (or give -DJLOSS_TORCH_INCLUDE): ${why}")
  endif()
  file(SHA256 "${download}/${JLOSS_TORCH_WHEEL}" sum)
  if(NOT sum STREQUAL JLOSS_TORCH_WHEEL_SHA256)
    file(REMOVE "${download}/${JLOSS_TORCH_WHEEL}")
    message(FATAL_ERROR "jloss: ${JLOSS_TORCH_WHEEL} has sha256 ${sum}, expected ${JLOSS_TORCH_WHEEL_SHA256}")
  endif()
  # Extracted beside and renamed, so that two builds at once see all of it or nothing.
  string(RANDOM LENGTH 8 suffix)
  set(part "${into}.${suffix}")
  file(ARCHIVE_EXTRACT INPUT "${download}/${JLOSS_TORCH_WHEEL}" DESTINATION "${part}"
       PATTERNS "torch/include/*")
  if(NOT EXISTS "${into}")
    file(RENAME "${part}" "${into}")
  else()
    file(REMOVE_RECURSE "${part}")
  endif()
  file(REMOVE "${download}/${JLOSS_TORCH_WHEEL}")
endfunction()

if(JLOSS_TORCH_INCLUDE STREQUAL "")
  set(_headers "${JLOSS_CACHE}/torch-${JLOSS_TORCH_VERSION}-headers")
  if(NOT EXISTS "${_headers}/torch/include/ATen/ATen.h")
    _jloss_fetch_headers("${_headers}")
  endif()
  set(JLOSS_TORCH_INCLUDE_DIR "${_headers}/torch/include")
else()
  set(JLOSS_TORCH_INCLUDE_DIR "${JLOSS_TORCH_INCLUDE}")
endif()

# torch/headeronly/version.h carries the version in every distribution.
if(NOT EXISTS "${JLOSS_TORCH_INCLUDE_DIR}/torch/headeronly/version.h")
  message(FATAL_ERROR "jloss: no headers of libtorch in ${JLOSS_TORCH_INCLUDE_DIR}")
endif()
file(STRINGS "${JLOSS_TORCH_INCLUDE_DIR}/torch/headeronly/version.h" _version
     REGEX "#define TORCH_VERSION_(MAJOR|MINOR|PATCH)")
string(REGEX MATCHALL "[0-9]+" _version "${_version}")
string(REPLACE ";" "." _version "${_version}")
if(NOT _version STREQUAL JLOSS_TORCH_VERSION)
  message(FATAL_ERROR "jloss: the headers in ${JLOSS_TORCH_INCLUDE_DIR} are of torch ${_version}; "
                      "the preset's libraries are of ${JLOSS_TORCH_VERSION}")
endif()
