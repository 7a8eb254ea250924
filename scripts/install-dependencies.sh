#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs the Debian 12 packages that building and testing ringcast needs, and only those
# that are missing: with everything in place it is silent and needs no privilege.
#   --test   also what only tests need: a PostgreSQL server, web servers (with Apache's apxs, by which
#            mod_log_ringcast is built) and log programs, a browser that Python drives
#   --ci     that, and what .ci/run needs: clang 14 with its tools, and ccache
#   --bench  also what bench/ needs: the systems to compare with, Google Benchmark, tools to measure
set -euo pipefail

packages=(
  g++ cmake ninja-build pkg-config
  libasio-dev libspdlog-dev libtomlplusplus-dev libcli11-dev nlohmann-json3-dev
  libxxhash-dev libssl-dev libutfcpp-dev libsystemd-dev libncurses-dev libmicrohttpd-dev catch2
  libre2-dev zlib1g-dev libzstd-dev zstd libsqlite3-dev libpq-dev
  python3 iproute2 nftables git
)
test_packages=(
  valgrind strace
  postgresql nginx-light haproxy rsyslog apache2 apache2-dev systemd-journal-remote
  chromium chromium-driver fonts-dejavu-core nghttp2-client goaccess curl
)
case "${1:-}" in
  "") ;;
  --test) packages+=("${test_packages[@]}") ;;
  --ci) packages+=("${test_packages[@]}" clang-14 llvm-14 clang-tidy-14 clang-format-14 libclang-rt-14-dev ccache) ;;
  --bench) packages+=(corosync libcpg-dev libzmq3-dev ethtool libbenchmark-dev linux-perf gnuplot-nox) ;;
  *)
    echo "usage: scripts/install-dependencies.sh [--test | --ci | --bench]" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "This is not a Debian system. Install what matches these packages and go on by hand (docs/testing.md):" >&2
  echo "  ${packages[*]}" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1 || ! { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    echo "These packages are missing, and installing them needs root. Have an administrator run:" >&2
    echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "installing: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" >>"$log" 2>&1; }
if ! { apt update && apt install --no-install-recommends "${missing[@]}"; }; then
  tail -n 30 "$log" >&2
  echo "The packages above could not be installed; apt-get's last lines say why." >&2
  exit 1
fi
