#!/usr/bin/env bash
# Requests made up from the OpenAPI document: whatever is sent, nothing answers 500, and every answer is what
# the document declares for its status.
#
# Usage: ci/schemathesis.sh BINARY
set -euo pipefail
cd "$(dirname "$0")/.."
. ci/lib.sh

binary=$(realpath "$1")
tools=$PWD/target/schemathesis
log=$(mktemp)
trap 'stop_server || true; rm -f "$log"' EXIT
[ -x "$tools/bin/schemathesis" ] || python3 -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check 'schemathesis==4.32.5'
start_server "$log" "$binary" serve --listen 127.0.0.1:0 --database-url memory
export SCHEMATHESIS_HOOKS=hooks PYTHONPATH=$PWD/tests/schemathesis PYTHONDONTWRITEBYTECODE=1
cd "$tools" # it leaves a folder of its own where it runs
timeout 420 bin/schemathesis run "http://$SERVER_ADDRESS/openapi.json" \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
  --phases examples,coverage,fuzzing --max-examples 60 --seed 1 --workers 2 --request-timeout 20 \
  --suppress-health-check all --generation-database none --no-color
