#!/usr/bin/env bash
# The release binary as a container runs it: not root, in a root directory that holds nothing but the binary
# and the C library, with one empty folder to write to. So no time zones, no certificates, no names of users.
#
# Usage: ci/unprivileged.sh BINARY      (as root, for chroot)
set -euo pipefail
cd "$(dirname "$0")/.."
. ci/lib.sh

binary=$(realpath "$1")
root=$(mktemp -d)
trap 'stop_server || true; rm -rf "$root"' EXIT
chmod 755 "$root"
install -D --mode=755 "$binary" "$root/bin/farthing"
ldd "$binary" | grep -o '/[^ ]*' | while read -r library; do
  install -D --mode=755 "$library" "$root$library"
done
install --directory --owner=65534 --group=65534 --mode=700 "$root/data"

inside() { # in the folder, as nobody, with no more of the environment than is named
  local settings=()
  while [[ ${1:-} == FARTHING_*=* ]]; do settings+=("$1") && shift; done
  exec env --ignore-environment TZDIR=/nowhere "${settings[@]}" \
    "$(command -v chroot)" --userspec=65534:65534 "$root" /bin/farthing "$@"
}

amount() { # of deepseek-flash, a million tokens in and out, at an instant
  curl --silent --show-error --fail --max-time 5 \
    "http://$SERVER_ADDRESS/estimate?model=deepseek-flash&input_tokens=1000000&output_tokens=1000000&detail=total&as_of=$1" |
    grep -o '"amount":"[^"]*"' | cut -d'"' -f4
}

database=FARTHING_DATABASE_URL=sqlite:///data/farthing.db
for start in first second; do
  begun=$(date +%s%N)
  start_server "$root/log" inside "$database" serve --listen 127.0.0.1:0
  echo "ok: the $start start was ready after $((($(date +%s%N) - begun) / 1000000)) ms"
  expect "$(awk '/^Uid:/ { print $3 }' "/proc/$SERVER_PID/status")" 65534 "the user that it runs as"
  expect "$(curl --silent --max-time 5 "http://$SERVER_ADDRESS/readyz" | grep -o '"status":"[a-z]*"')" '"status":"ready"' "/readyz"
  # Tuesday 10:00 in Shanghai is dear, 20:00 is not: the zone comes from inside the binary.
  expect "$(amount 2026-11-24T02:00:00Z)" 1.50 "deepseek-flash at ten in the morning"
  expect "$(amount 2026-11-24T12:00:00Z)" 0.75 "deepseek-flash at eight in the evening"
  (inside FARTHING_LISTEN="$SERVER_ADDRESS" health)
  echo "ok: farthing health"
  awk '/^Vm(RSS|HWM):/ { printf "ok: %s %d MB\n", $1, $2 / 1000 }' "/proc/$SERVER_PID/status"
  code=0
  stop_server || code=$?
  expect "$code" 0 "the exit code after SIGTERM"
done
