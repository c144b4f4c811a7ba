#!/usr/bin/env bash
# The price tables of two packages, whole: imported twice, and thousands of calls compared with the packages' own
# calculators. Fetches both from PyPI.
#
# Usage: ci/feeds.sh [CARGO_OPTION...]
set -euo pipefail
cd "$(dirname "$0")/.."

tools=$PWD/target/feeds/venv
[ -x "$tools/bin/python" ] || python3 -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check 'litellm==1.99.4' 'genai-prices==0.2.3'
LITELLM_LOCAL_MODEL_COST_MAP=True PYTHONDONTWRITEBYTECODE=1 "$tools/bin/python" tests/feeds/tables.py target/feeds
cargo test --locked "$@" --test it feeds::real -- --ignored --nocapture
