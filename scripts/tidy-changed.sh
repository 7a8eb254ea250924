#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# clang-tidy on the sources a change touches, by the compile commands of BUILD_DIR.
#   scripts/tidy-changed.sh BUILD_DIR [FILE...]      with FILEs: exactly those
# What changed is measured from RINGCAST_TIDY_BASE, else from where this branch left
# origin/main, else from 20 commits ago, else from the beginning; uncommitted changes and new
# files count. A changed header is looked at through the source of the same name, else through
# up to three that include it, else it is named. Sources of the protocol come first. What is
# not reached within RINGCAST_TIDY_SECONDS (600) is named, not passed over in silence.
set -euo pipefail
build=${1:?usage: scripts/tidy-changed.sh BUILD_DIR [FILE...]}
shift
cd "$(dirname "$0")/.."
seconds=${RINGCAST_TIDY_SECONDS:-600}

base_commit() {
  if [ -n "${RINGCAST_TIDY_BASE:-}" ]; then
    echo "$RINGCAST_TIDY_BASE"
    return
  fi
  local head fork
  head=$(git rev-parse HEAD)
  fork=$(git merge-base HEAD origin/main 2>/dev/null || true)
  if [ -n "$fork" ] && [ "$fork" != "$head" ]; then
    echo "$fork"
  else
    git rev-parse --verify -q 'HEAD~20^{commit}' || git rev-list --max-parents=0 HEAD | tail -n 1
  fi
}

is_compiled() { [ -f "$1" ] && grep -q "/$1\"" "$build/compile_commands.json"; }

# Sources through which that header is looked at. Includes are written from the root or from
# the first folder on.
sources_of() {
  local header=$1 source found=0
  if is_compiled "${header%.hpp}.cpp"; then
    echo "${header%.hpp}.cpp"
    return
  fi
  local named=${header#*/}
  while read -r source; do
    is_compiled "$source" || continue
    echo "$source"
    found=$((found + 1))
    [ "$found" -lt 3 ] || break
  done < <(git grep -lF --untracked -e "\"$header\"" -e "\"$named\"" -e "<$named>" -- '*.cpp')
  [ "$found" -gt 0 ] || echo "no source for: $header" >&2
}

changed_sources() {
  local base file
  base=$(base_commit)
  {
    git diff --name-only --diff-filter=d "$base" -- '*.cpp' '*.hpp'
    git ls-files --others --exclude-standard -- '*.cpp' '*.hpp'
  } | while read -r file; do
    case "$file" in
      *.hpp) sources_of "$file" ;;
      *) if is_compiled "$file"; then echo "$file"; fi ;;
    esac
  done | sort -u
}

if [ $# -gt 0 ]; then
  files=$(printf '%s\n' "$@")
else
  all=$(changed_sources)
  files=$(for part in '^src/protocol/' '^src/(client|daemon)/' '^tools/' '^(tests|bench|examples)/'; do
    grep -E "$part" <<<"$all" || true
  done)
fi
[ -n "$files" ] || { echo "clang-tidy: no source changed"; exit 0; }

# One line of state per file, so that the summary can say which were not reached.
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
started_at=$(date +%s)
export build results started_at seconds
tidy_one() {
  local file=$1 key
  key=$(tr '/' '_' <<<"$file")
  if [ $(($(date +%s) - started_at)) -ge "$seconds" ]; then
    echo "$file" >"$results/$key.unreached"
    return 0
  fi
  if clang-tidy-14 -p "$build" --quiet "$file" >"$results/$key.log" 2>"$results/$key.err"; then
    return 0
  fi
  echo "$file" >"$results/$key.failed"
  cat "$results/$key.log"
  grep -E 'error:' "$results/$key.err" || true
}
export -f tidy_one
xargs -P "$(nproc)" -I{} bash -euo pipefail -c 'tidy_one "$1"' _ {} <<<"$files"

total=$(wc -l <<<"$files")
failed=$(find "$results" -name '*.failed' | wc -l)
unreached=$(find "$results" -name '*.unreached' | wc -l)
echo "clang-tidy: $((total - unreached)) of $total changed sources looked at, $failed with findings"
if [ "$unreached" -gt 0 ]; then
  echo "not reached within $seconds s:"
  cat "$results"/*.unreached
fi
[ "$failed" -eq 0 ]
