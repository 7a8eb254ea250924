#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds build/release and runs every test. Arguments go to ctest (docs/testing.md), for
# example: ./test.sh -R unit
set -euo pipefail
cd "$(dirname "$0")"

scripts/install-dependencies.sh --test
. scripts/compiler-cache.sh
jobs=$(nproc)

started=$SECONDS
cmake --preset release
cmake --build --preset release -j "$jobs"
echo "build: $((SECONDS - started)) s"

started=$SECONDS
ctest --test-dir build/release --output-on-failure --no-tests=error -j "$jobs" "$@"
echo "tests: $((SECONDS - started)) s"
