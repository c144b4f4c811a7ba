#!/usr/bin/env bash
# A thousand quotes, posted four at a time, through a hundred `kill -9` at random moments: each one that was
# acknowledged is there, byte for byte.
#
# Usage: ci/kills.sh BINARY
set -euo pipefail
cd "$(dirname "$0")/.."

KILLS=100 KILLS_BINARY=$(realpath "$1") \
  cargo test --locked --quiet --test it quotes::kills:: -- --nocapture
