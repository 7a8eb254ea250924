#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Compares ringcast with Corosync, ZeroMQ and the raw limit of this machine: installs what that
# needs from Debian, builds, measures. bench/README.md says what is measured and how.
#   bench/compare.sh            everything; two hours. Interrupted, the same command goes on
#   bench/compare.sh --quick    the main rows; under 20 minutes
#   bench/compare.sh --smoke    does it all still work? under a minute
#   bench/compare.sh --help     more
# RINGCAST_BIN: a folder of programs that are built already (default: build/release/bin is made).
# RINGCAST_JOBS: how many compilers at a time (default: one a core).
set -euo pipefail
cd "$(dirname "$0")/.."

for word in "$@"; do
  case "$word" in
    -h | --help) exec python3 bench/compare/main.py --help ;;
  esac
done

scripts/install-dependencies.sh --bench
if [ -z "${RINGCAST_BIN:-}" ]; then
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  programs=(ringcastd ringcast_bench_client ringcast_bench_without_offload)
  if ! { cmake --preset release && cmake --build --preset release -j "${RINGCAST_JOBS:-$(nproc)}" \
    --target "${programs[@]}"; } >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    exit 1
  fi
  grep '^-- bench:' "$log" || true
  rm -f "$log"
fi
exec python3 bench/compare/main.py "$@"
