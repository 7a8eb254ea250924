#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A stranger's use of the installed tree: nothing of the source but examples/ is visible.
#   run.sh BUILD_DIR SOURCE_DIR CXX
set -euo pipefail
build=$(realpath "$1") source=$(realpath "$2") cxx=$3
work=$build/tests/install/work
rm -rf "$work"
mkdir -p "$work"
say() { printf '\n-- %s\n' "$*"; }

say "install"
cmake --install "$build" --prefix "$work/first" >"$work/install.log"
# Nothing may remember where it was first put.
mv "$work/first" "$work/prefix"
prefix=$work/prefix
libdir=$(dirname "$(find "$prefix" -name pkgconfig -type d)")
export LD_LIBRARY_PATH=$libdir

for file in bin/ringcastd bin/ringcast bin/ringlog-publish bin/ringlog-write bin/ringlog-monitor include/ringcast/client.hpp \
  lib/systemd/system/ringcastd.service share/ringcast/conf/ringcast.toml share/doc/ringcast/LICENSE \
  share/doc/ringcast/docs/logging.md share/doc/ringcast/examples/chat.cpp; do
  [ -e "$prefix/$file" ] || { echo "not installed: $file" >&2; exit 1; }
done
for library in libringcast.a libringcast.so; do
  [ -e "$libdir/$library" ] || { echo "not installed: $library" >&2; exit 1; }
done
grep -q "^ExecStart=$work/first/bin/ringcastd " "$prefix/lib/systemd/system/ringcastd.service"
"$prefix/bin/ringcastd" --config "$prefix/share/ringcast/conf/three-nodes.toml" --check

say "examples by find_package"
cmake -S "$source/examples" -B "$work/by-cmake" -G Ninja -DCMAKE_CXX_COMPILER="$cxx" \
  -DCMAKE_PREFIX_PATH="$prefix" >"$work/cmake.log"
cmake --build "$work/by-cmake"

# It runs, and says that there is no daemon.
try() {
  local status=0
  RINGCAST_SOCKET=$work/no-daemon.sock "$1" lobby ann </dev/null >"$work/run.log" 2>&1 || status=$?
  if [ "$status" -ne 1 ] || ! grep -q no-daemon.sock "$work/run.log"; then
    cat "$work/run.log" >&2
    echo "$1: exit $status" >&2
    exit 1
  fi
}
for example in "$source"/examples/*.cpp; do
  name=$(basename "$example" .cpp)
  lines=$(wc -l <"$example")
  [ "$lines" -le 60 ] || { echo "$example has $lines lines, at most 60 are meant" >&2; exit 1; }
  try "$(find "$work/by-cmake" -name "$name" -type f -executable)"

  say "$name by pkg-config, shared and static"
  export PKG_CONFIG_PATH=$libdir/pkgconfig
  read -ra flags <<<"$(pkg-config --cflags --libs ringcast)"
  "$cxx" -std=c++20 "$example" -o "$work/$name-shared" "${flags[@]}"
  grep -q libringcast.so <<<"$(ldd "$work/$name-shared")"
  try "$work/$name-shared"
  read -ra cflags <<<"$(pkg-config --cflags ringcast)"
  read -ra privates <<<"$(pkg-config --libs libxxhash)"
  "$cxx" -std=c++20 "${cflags[@]}" "$example" -o "$work/$name-static" "$libdir/libringcast.a" "${privates[@]}"
  try "$work/$name-static"
done

say "the example and the installed daemon"
chat=$(find "$work/by-cmake" -name chat -type f -executable)
timeout 60 unshare -rn "$source/tests/install/chat.sh" "$prefix" "$chat"
say "ok"
