#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The example talks through the installed daemon: what it is told arrives at an installed
# subscriber. To be run in a network namespace of its own.
#   chat.sh PREFIX CHAT
set -euo pipefail
prefix=$1 chat=$2
folder=$(mktemp -d)
daemon=
cleanup() {
  if [ -n "$daemon" ]; then
    kill "$daemon" 2>/dev/null || true
    wait "$daemon" || true
  fi
  rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 1' TERM INT

ip link set lo up
export RINGCAST_SOCKET=$folder/ringcast.sock
cat >"$folder/ringcast.toml" <<CONFIGURATION
[[daemon]]
name = "alone"
address = "127.0.0.1:4913"
[clients]
socket = "$RINGCAST_SOCKET"
[state]
directory = "$folder/state"
CONFIGURATION
"$prefix/bin/ringcastd" --config "$folder/ringcast.toml" &
daemon=$!
"$prefix/bin/ringcast" status --wait-members 1 >"$folder/status"

exec {subscriber}< <("$prefix/bin/ringcast" --as reader subscribe lobby --views --count 1)
until [[ ${line:-} == *"#reader#alone"* ]]; do  # its first view: it has joined
  read -r -u "$subscriber" line
done
"$chat" lobby ann <<<"hello from the example"
received=$(cat <&"$subscriber")
[[ $received == *"#ann#alone"*"hello from the example"* ]] || { echo "received: $received" >&2; exit 1; }
echo "$received"
