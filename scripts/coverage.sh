#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# How much of src/protocol the simulation alone visits: builds it with clang's coverage, runs a
# campaign, prints line and branch coverage of each file.
#   scripts/coverage.sh                     # 300 seeds
#   scripts/coverage.sh --seeds 1000        # arguments go to the campaign
#   scripts/coverage.sh --show FILE ...     # the lines of these files with their counts, after it
# Fails when less than 95 % of the lines were visited.
set -euo pipefail
cd "$(dirname "$0")/.."

lines_min=95
build=build/coverage
profile=$build/simulation.profdata
program=$build/bin/ringcast_sim

if [ "${1:-}" = --show ]; then
  shift
  exec llvm-cov-14 show "$program" -instr-profile="$profile" "$@"
fi
[ "$#" -gt 0 ] || set -- --seeds 300

# The report picks files by their absolute path; ccache can make paths relative.
unset CCACHE_BASEDIR
cmake --preset coverage >/dev/null
cmake --build --preset coverage --target ringcast_sim -j "$(nproc)"
rm -rf "$build/profiles"
mkdir -p "$build/profiles"
# Every seed adds to one of four files (%4m): thousands of processes, and no file for each.
failed=0
LLVM_PROFILE_FILE="$PWD/$build/profiles/%4m.profraw" \
  "$program" campaign --first-seed 1 --shrink 0 "$@" >"$build/campaign.txt" || failed=$?
[ "$failed" -eq 0 ] || echo "the campaign failed: $build/campaign.txt" >&2
llvm-profdata-14 merge -o "$profile" "$build"/profiles/*.profraw
report=$(llvm-cov-14 report "$program" -instr-profile="$profile" src/protocol)
echo "$report"
# Columns of the last line: ... lines, missed, cover, branches, missed, cover.
lines=$(awk '/^TOTAL/ { gsub("%", "", $10); print $10 }' <<<"$report")
echo "lines visited by simulation: $lines % (at least $lines_min %)"
awk -v lines="$lines" -v min="$lines_min" 'BEGIN { exit !(lines >= min) }'
exit "$failed"
