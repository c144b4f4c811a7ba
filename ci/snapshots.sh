#!/usr/bin/env bash
# No snapshot waits for a decision. (All are inline: a snapshot whose test is gone has gone with it.)
set -euo pipefail
cd "$(dirname "$0")/.."

stray=$(find src tests benches \( -name '*.snap' -o -name '*.snap.new' -o -name '.*.pending-snap' \) -not -path '*/node_modules/*')
if [ -n "$stray" ]; then
  printf 'snapshots in files, or waiting for a decision:\n%s\n' "$stray" >&2
  exit 1
fi
echo "none"
