#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Three web servers, two loggers, one log. Three daemons on loopback order 10,000 real log
# lines from three publishers for two writers and a monitor with a live page; while lines flow
# the third daemon is killed and started again. Ends with a table and a picture of the monitor;
# exits 0 only when nothing was lost or doubled, both files are identical and the page's figures
# are those of the log. Everything it makes lies in demo.out.
#   --stay         then keep the page, with lines coming, until Ctrl-C
#   RINGCAST_BIN   use the programs in that folder and build nothing
set -euo pipefail
cd "$(dirname "$0")"
export LC_ALL=C

stay=no
case "$*" in
  "") ;;
  --stay) stay=yes ;;
  *)
    echo "usage: ./demo.sh [--stay]   (--stay: keep the live page until Ctrl-C)" >&2
    exit 2
    ;;
esac

exec 9<"$(basename "$0")"
if command -v flock >/dev/null 2>&1 && ! flock -n 9; then
  echo "demo.sh: it is already running in this folder" >&2
  exit 1
fi

log=$PWD/examples/data/apache_access_10k.log
out=$PWD/demo.out
group=weblogs

if [ -n "${RINGCAST_BIN:-}" ]; then
  bin=$(cd "$RINGCAST_BIN" && pwd)
else
  scripts/install-dependencies.sh
  . scripts/compiler-cache.sh
  echo "building (the first time takes a few minutes) ..."
  cmake --preset release >/dev/null
  cmake --build --preset release -j "$(nproc)" \
    --target ringcastd ringcast_tool ringlog-publish_tool ringlog-write_tool ringlog-monitor_tool | tail -n 1
  bin=$PWD/build/release/bin
fi

rm -rf "$out"
mkdir "$out"
cd "$out"
sockets=$out
if [ "${#out}" -gt 90 ]; then sockets=$(mktemp -d); fi # the kernel takes 107 bytes for a socket's path

pids=() # of everything this script starts and that may still run, and nothing else
forget() { # PID...: they have ended, their numbers may be given to others
  local ended=" $* " left=() pid
  for pid in "${pids[@]}"; do
    [[ $ended == *" $pid "* ]] || left+=("$pid")
  done
  pids=("${left[@]}")
}
cleanup() {
  trap - EXIT
  if [ "${#pids[@]}" -gt 0 ]; then
    kill -TERM "${pids[@]}" 2>/dev/null || true
    for _ in $(seq 40); do
      kill -0 "${pids[@]}" 2>/dev/null || break # true while one is left
      sleep 0.05
    done
    kill -KILL "${pids[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
  fi
  rm -rf "$out"/chunks "$out"/state "$sockets"/web?.sock
  if [ "$sockets" != "$out" ]; then rmdir "$sockets"; fi
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
  echo "demo.sh: $*" >&2
  echo "demo.sh: what the programs said is in $out/*.err" >&2
  exit 1
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds.
wait_for() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || fail "gave up waiting: $what"
    sleep 0.05
  done
}
lines_in() { if [ -e "$1" ]; then wc -l <"$1"; else echo 0; fi; }
has_ended() { ! kill -0 "$1" 2>/dev/null; }
has_lines() { [ "$(lines_in "$1")" -ge "$2" ]; }

write_configuration() { # PORT
  {
    printf '[cluster]\nname = "demo-%s"\n' "$1"
    for i in 1 2 3; do
      printf '[[daemon]]\nname = "web%s"\naddress = "127.0.0.%s:%s"\n' "$i" "$i" "$1"
    done
    printf '[clients]\nsocket = "%s/%%n.sock"\n' "$sockets"
    printf '[state]\ndirectory = "%s/state/%%n"\n' "$out"
  } >ring.toml
}
start_daemon() { # NUMBER
  "$bin/ringcastd" --config ring.toml --name "web$1" 2>>"web$1.err" &
  daemon[$1]=$!
  pids+=($!)
}
ring_has() { # DAEMON MEMBERS
  "$bin/ringcast" --socket "$sockets/web$1.sock" status --wait-members "$2" --timeout 10s >/dev/null 2>&1
}

three_daemons() {
  for _ in $(seq 20); do
    "$bin/ringcast" --socket "$sockets/web1.sock" status --wait-members 3 --timeout 500ms \
      >/dev/null 2>&1 && return 0
    for i in 1 2 3; do kill -0 "${daemon[$i]}" 2>/dev/null || return 1; done
  done
  return 1
}

# Three daemons, on a port that no other ring uses: one in use makes a daemon exit with 2.
daemon=()
for attempt in 1 2 3 4 5; do
  port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
  write_configuration "$port"
  for i in 1 2 3; do start_daemon "$i"; done
  if three_daemons; then break; fi
  [ "$attempt" -lt 5 ] || fail "the three daemons formed no ring"
  kill -KILL "${daemon[@]}" 2>/dev/null || true
  wait "${daemon[@]}" 2>/dev/null || true
  forget "${daemon[@]}"
done
echo "ring of three daemons on 127.0.0.1-3, port $port"

started=$(date +%s%N)
writer=()
for i in 1 2; do
  "$bin/ringlog-write" --socket "$sockets/web$i.sock" --group "$group" --file "writer$i.log" --as "log$i" \
    --json >"writer$i.json" 2>"writer$i.err" &
  writer[$i]=$!
  pids+=($!)
done
# Its page is at a port that is free.
"$bin/ringlog-monitor" --socket "$sockets/web1.sock" --group "$group" --as monitor --listen 127.0.0.1:0 \
  --plain --interval 1h --picture metrics servers pages >monitor.txt 2>monitor.err &
monitor=$!
pids+=($!)
page_of_monitor() {
  page=$(sed -n 's/.*figures are at //p' monitor.err)
  [ -n "$page" ]
}
wait_for 10 "the monitor's page" page_of_monitor
# A member on the third daemon, so that its end is also a change of the group.
"$bin/ringcast" --socket "$sockets/web3.sock" --as onlooker subscribe "$group" --views >/dev/null 2>web3.onlooker &
pids+=($!)
members_of() { "$bin/ringcast" --socket "$sockets/web1.sock" --json groups "$1" 2>/dev/null || true; }
all_joined() {
  local writers
  writers=$(members_of "$group.writers")
  [[ $writers == *"#log1#"* && $writers == *"#log2#"* ]] || return 1
  writers=$(members_of "$group")
  [[ $writers == *"#onlooker#"* && $writers == *"#monitor#"* ]]
}
wait_for 10 "the writers to join" all_joined
stays=""
if [ "$stay" = no ]; then stays=" while this runs; ./demo.sh --stay keeps it"; fi
echo "live page: $page$stays"

# Each client address always goes to the same web server, as behind a load balancer.
awk '
  BEGIN { for (i = 0; i < 256; i++) code[sprintf("%c", i)] = i }
  {
    hash = 0
    for (i = 1; i <= length($1); i++) hash = (hash * 31 + code[substr($1, i, 1)]) % 1000003
    print > ("lines." (hash % 3 + 1))
  }' "$log"
mkdir chunks
feed() { # NUMBER: lines come over about four seconds, as if requests were served
  local chunk
  for chunk in chunks/"$1".*; do
    cat "$chunk"
    sleep 0.1
  done
}
publish() { # NUMBER: what is on stdin
  exec "$bin/ringlog-publish" --socket "$sockets/web$1.sock" --group "$group" --as "publisher$1" --json \
    >>"publisher$1.json" 2>>"publisher$1.err"
}
publisher=()
for i in 1 2 3; do
  split -n l/40 -a 2 "lines.$i" "chunks/$i."
  feed "$i" | publish "$i" &
  publisher[$i]=$!
  pids+=($!)
done

wait_for 30 "the first lines" has_lines writer1.log 2500
kill -0 "${publisher[3]}" 2>/dev/null || fail "the lines were through before the daemon was killed"
killed_at=$(lines_in writer1.log)
{ kill -KILL "${daemon[3]}" && wait "${daemon[3]}"; } 2>/dev/null || true # no job message
forget "${daemon[3]}"
echo "killed daemon web3 with $killed_at lines written"
ring_has 1 2 || fail "the survivors formed no ring of two"
wait_for 30 "lines after the kill" has_lines writer1.log $((killed_at + 1000))
restarted_at=$(lines_in writer1.log)
start_daemon 3
echo "started it again with $restarted_at lines written"

failed=0
for i in 1 2 3; do
  wait "${publisher[$i]}" || { failed=1; echo "publisher$i failed: $(tail -n 1 "publisher$i.err")"; }
  forget "${publisher[$i]}"
done
ring_has 1 3 || fail "the restarted daemon did not come back into the ring"
sent=$(cat lines.1 lines.2 lines.3 | wc -l)
both_done() { has_lines writer1.log "$sent" && has_lines writer2.log "$sent"; }
for _ in $(seq 100); do both_done && break; sleep 0.05; done
for i in 1 2; do
  kill -TERM "${writer[$i]}"
  wait_for 20 "writer$i to end" has_ended "${writer[$i]}"
  wait "${writer[$i]}" || { failed=1; echo "writer$i failed: $(tail -n 1 "writer$i.err")"; }
  forget "${writer[$i]}"
done
seconds=$(awk -v from="$started" -v to="$(date +%s%N)" 'BEGIN { printf "%.1f", (to - from) / 1e9 }')

# The truth, from the files alone: as sorted lists, so that a line that is in the log twice
# must be in the files twice. Then once more by producer and sequence, from the writers.
number() { sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p" "$1"; }
sort "$log" >sorted.sent
for i in 1 2; do
  sort "writer$i.log" >sorted.written
  lost[$i]=$(comm -23 sorted.sent sorted.written | wc -l)
  extra[$i]=$(comm -13 sorted.sent sorted.written | wc -l)
  lines[$i]=$(number "writer$i.json" lines_total)
  doubled[$i]=$((${lines[$i]:-0} - $(number "writer$i.json" distinct)))
  hash[$i]=$(sha256sum <"writer$i.log" | cut -d ' ' -f 1)
  [ "${lost[$i]}" = 0 ] && [ "${extra[$i]}" = 0 ] && [ "${doubled[$i]}" = 0 ] || failed=1
  [ "${lines[$i]}" = "$sent" ] || failed=1
done
rm -f sorted.sent sorted.written
identical=yes
cmp -s writer1.log writer2.log || { identical=no; failed=1; }
[ "$sent" = "$(wc -l <"$log")" ] || failed=1

# The page's figures, as a program asks for them, against a count of the log.
ask_page() { # PATH
  local address=${page#http://}
  exec 8<>"/dev/tcp/127.0.0.1/$(sed 's/.*:\([0-9]*\).*/\1/' <<<"$address")" || return 1
  printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$1" >&8
  cat <&8
  exec 8>&-
}
on_page() { # METRIC: summed over its labels
  awk -v name="$1{" 'index($0, name) == 1 { sum += $NF } END { printf "%.0f", sum }' page.metrics
}
page_has_all() {
  ask_page /metrics >page.metrics
  [ "$(on_page ringlog_lines_total)" -ge "$sent" ]
}
wait_for 10 "the page to count all lines" page_has_all
in_log() { # WHAT: requests, errors or bytes, of lines that are whole
  awk -F '"' -v what="$1" '
    !/"$/ { next }
    { split($3, answer, " "); sum["requests"]++; sum["errors"] += answer[1] >= 400; sum["bytes"] += answer[2] }
    END { printf "%.0f", sum[what] }' "$log"
}

row() { printf '  %-42s %10s %10s\n' "$1" "$2" "$3"; }
pair() { row "$1" "$(number writer1.json "$2")" "$(number writer2.json "$2")"; }
compare() { # WHAT IN-LOG METRIC
  local counted
  counted=$(on_page "$3")
  row "$1" "$2" "$counted"
  [ "$2" = "$counted" ] || failed=1
}
echo
row "" "writer 1" "writer 2"
row "lines sent by three publishers" "$sent" "$sent"
row "lines written" "${lines[1]}" "${lines[2]}"
row "lost" "${lost[1]}" "${lost[2]}"
row "doubled (by producer and sequence)" "${doubled[1]}" "${doubled[2]}"
row "in the file but never sent" "${extra[1]}" "${extra[2]}"
pair "sent again after the kill, dropped" duplicates
pair "delivered under weaker promises (pending)" pending_lines
pair "configurations seen" configurations
pair "views seen" views
row "seconds" "$seconds" ""
echo
row "" "in the log" "live page"
compare "lines" "$sent" ringlog_lines_total
compare "requests" "$(in_log requests)" ringlog_requests_total
compare "errors (status 400 and above)" "$(in_log errors)" ringlog_errors_total
compare "bytes" "$(in_log bytes)" ringlog_response_bytes_total
echo
echo "identical: $identical"
echo "  sha256 ${hash[1]}  demo.out/writer1.log"
echo "  sha256 ${hash[2]}  demo.out/writer2.log"

if [ "$stay" = yes ]; then
  feed_forever() { # NUMBER: about 80 lines a second, until nobody reads them
    local chunk
    while true; do
      for chunk in chunks/"$1".*; do
        cat "$chunk" || return 0
        sleep 1
      done
    done
  }
  for i in 1 2 3; do
    feed_forever "$i" 2>/dev/null | publish "$i" &
    pids+=($!)
  done
  stopped=no
  trap 'stopped=yes' INT TERM
  echo
  echo "The page stays at $page and lines keep coming; Ctrl-C ends it."
  while [ "$stopped" = no ]; do
    sleep 0.2 || true # Ctrl-C ends this, too
    kill -0 "$monitor" 2>/dev/null || [ "$stopped" = yes ] || fail "the monitor has ended"
  done
  trap 'exit 130' INT
  trap 'exit 143' TERM
fi

kill -TERM "$monitor" 2>/dev/null || true
wait_for 10 "the monitor to end" has_ended "$monitor"
wait "$monitor" || { failed=1; echo "the monitor failed: $(tail -n 1 monitor.err)"; }
forget "$monitor"
echo
cat monitor.txt
if [ "$stay" = no ]; then
  echo
  echo "The live page was at $page; ./demo.sh --stay keeps it until Ctrl-C."
fi
exit "$failed"
