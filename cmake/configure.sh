#!/bin/sh
# Configures the native build; from nothing if the checkout has been moved, as CMake's cache names it.
#   cmake/configure.sh SOURCE BUILD [CMAKE ARGUMENTS...]
set -eu
source=$1
build=$2
shift 2
was=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$build/CMakeCache.txt" 2>/dev/null || :)
if [ -n "$was" ] && ! [ "$was" -ef "$source" ]; then
  rm -rf -- "$build"
fi
exec cmake -S "$source" -B "$build" "$@"
