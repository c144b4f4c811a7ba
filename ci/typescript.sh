#!/usr/bin/env bash
# A TypeScript client generated from the committed OpenAPI document compiles, and catches mistakes.
set -euo pipefail
cd "$(dirname "$0")/../tests/typescript"

npm ci --silent
npm run --silent generate
npm run --silent check
echo "ok: client.ts compiles"
