#!/usr/bin/env bash
# The page and Swagger UI of a running service, as a person opens them, in a browser without the internet.
#
# Usage: ci/browser.sh BINARY [FOLDER]      (screenshots go to FOLDER)
set -euo pipefail
cd "$(dirname "$0")/.."
. ci/lib.sh

binary=$(realpath "$1")
folder=$(realpath -m "${2:-target/screenshots}")
log=$(mktemp)
trap 'stop_server || true; rm -f "$log"' EXIT
npm ci --silent --prefix tests/browser
start_server "$log" "$binary" serve --listen 127.0.0.1:0 --database-url memory
node tests/browser/check.mjs "http://$SERVER_ADDRESS" "$folder"
