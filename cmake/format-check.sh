#!/bin/sh
# Checks the format of the C++ sources, by the very clang-format that they are formatted with.
#   cmake/format-check.sh [--fix]
set -eu
version=14.0.6
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/jloss/clang-format-$version
[ -d "$cache" ] || python3 -m pip install --quiet --no-deps --target "$cache" "clang-format==$version"
if [ "${1:-}" = --fix ]; then
  mode=-i
else
  mode="--dry-run --Werror"
fi
cd "$root/native"
# shellcheck disable=SC2086
exec "$cache/clang_format/data/bin/clang-format" $mode include/jloss/*.h src/*/*.h src/*/*.cpp
