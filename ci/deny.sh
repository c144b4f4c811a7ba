#!/usr/bin/env bash
# Licences, sources and unwanted crates among the dependencies: deny.toml says what is allowed.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.20.2
if [ "$(cargo deny --version 2>/dev/null)" != "cargo-deny $version" ]; then
  # It runs for a second and is built for minutes: so it is not optimised.
  CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_DEBUG=false \
    cargo install cargo-deny --version "$version" --locked --quiet --target-dir target/cargo-deny
  rm -rf target/cargo-deny
fi
cargo deny --locked check bans licenses sources
