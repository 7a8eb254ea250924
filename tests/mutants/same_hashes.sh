#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# same_hashes.sh RINGCAST_SIM RINGCAST_MUTANTS: with no mutant chosen the mutated protocol runs
# seeds exactly as the original does, packet by packet.
set -euo pipefail
for plan in everything lossy churn; do
  original=$("$1" --plan "$plan" --seeds 1..4 --hash | grep '^seed .* hash ')
  mutated=$("$2" --plan "$plan" --seeds 1..4 --hash)
  if [ "$original" != "$mutated" ]; then
    printf 'plan %s: the original\n%s\nthe mutated protocol\n%s\n' "$plan" "$original" "$mutated"
    exit 1
  fi
done
