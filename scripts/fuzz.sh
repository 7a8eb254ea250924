#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the fuzz targets (clang 14, libFuzzer, both sanitizers) and runs each for some time,
# one after the other:
#
#   scripts/fuzz.sh [--seconds N] [TARGET...]
#
# N is 60, the targets are all of tests/fuzz. What a run learns is kept in build/fuzz/corpus and
# taken up by the next. A finding ends its target, is kept in build/fuzz/findings/TARGET, and
# makes the exit code 1. docs/testing.md says how to replay one.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  sed -n '3,/^set/s/^# \{0,1\}//p' "$0" | sed '$d'
  exit 2
}

all_targets() { sed -n 's/^add_fuzz_target(\([a-z_]*\) .*/\1/p' tests/fuzz/CMakeLists.txt; }

seconds=60
targets=()
while (($# > 0)); do
  case $1 in
    --seconds)
      [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || usage
      seconds=$2
      shift
      ;;
    -*) usage ;;
    *)
      all_targets | grep -qx -- "$1" || {
        echo "fuzz.sh: no target $1; there are: $(all_targets | xargs)" >&2
        exit 2
      }
      targets+=("$1")
      ;;
  esac
  shift
done
((${#targets[@]} > 0)) || mapfile -t targets < <(all_targets)

build() {
  . scripts/compiler-cache.sh
  cmake --preset fuzz >/dev/null
  cmake --build --preset fuzz -j "$(nproc)" --target "${targets[@]/#/fuzz_}"
}

# The longest input worth trying: a script of a node's life is longer than a frame.
longest() {
  case $1 in
    node) echo 16384 ;;
    client) echo 8192 ;;
    *) echo 4096 ;;
  esac
}

# Where an input meets thousands of features, the entropic schedule costs more than the target.
schedule() {
  case $1 in
    node | groups | client) echo 0 ;;
    *) echo 1 ;;
  esac
}

# The number behind "stat::NAME:", or "NAME: " in the last line of progress.
stat() { sed -n "s/^stat::$2: *//p" "$1" | tail -n 1; }
progress() { sed -n "s/^#[0-9]*\t.* $2: \([0-9]*\).*/\1/p" "$1" | tail -n 1; }

table=""
failed=0
run() {
  local target=$1 log=build/fuzz/log/$1.txt started=$SECONDS result=ok
  local findings=build/fuzz/findings/$target corpus=build/fuzz/corpus/$target
  local seeds=("tests/fuzz/corpus/$target") options=()
  mkdir -p "$findings" "$corpus" build/fuzz/log
  [[ -d tests/fuzz/regressions/$target ]] && seeds+=("tests/fuzz/regressions/$target")
  [[ -f tests/fuzz/dictionaries/$target ]] && options+=("-dict=tests/fuzz/dictionaries/$target")
  echo "$target: $seconds s"
  if ! "build/fuzz/bin/fuzz_$target" "$corpus" "${seeds[@]}" "${options[@]}" \
    -max_total_time="$seconds" -max_len="$(longest "$target")" -entropic="$(schedule "$target")" \
    -timeout=60 -rss_limit_mb=2048 -malloc_limit_mb=256 -print_final_stats=1 -print_funcs=0 -artifact_prefix="$findings/" >"$log" 2>&1; then
    failed=1
    result="FINDING"
    tail -n 60 "$log"
    echo "replay: build/fuzz/bin/fuzz_$target $(ls -t "$findings"/* 2>/dev/null | head -n 1)"
  fi
  local runs speed
  runs=$(stat "$log" number_of_executed_units)
  speed=$(stat "$log" average_exec_per_sec)
  printf -v line '%-14s %7d %12s %8s %6s %6s  %s' "$target" $((SECONDS - started)) \
    "${runs:--}" "${speed:--}" "$(progress "$log" cov)" "$(progress "$log" ft)" "$result"
  table+=$line$'\n'
}

build
# What a target prints on purpose is only what it aborts with.
export ASAN_OPTIONS=${ASAN_OPTIONS:-quarantine_size_mb=32:malloc_context_size=8:detect_stack_use_after_return=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
# Targets that read files need no disk for them.
[[ -n ${TMPDIR:-} || ! -w /dev/shm ]] || export TMPDIR=/dev/shm
for target in "${targets[@]}"; do
  run "$target"
done
printf '\n%-14s %7s %12s %8s %6s %6s  %s\n%s' \
  target seconds executions exec/s cov ft result "$table"
exit "$failed"
