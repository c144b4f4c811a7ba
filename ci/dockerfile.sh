#!/usr/bin/env bash
# Docker builds from what the Dockerfile copies and from nothing else. Here the same files, as committed or as
# they stand, go to an empty folder, and must be all that the compiler asks for.
set -euo pipefail
cd "$(dirname "$0")/.."

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
grep '^COPY [^-]' Dockerfile | while read -r _ paths; do
  read -ra words <<<"$paths"
  git ls-files -z -- "${words[@]:0:${#words[@]}-1}" | xargs -0 cp --parents --target-directory="$context"
done
CARGO_TARGET_DIR=$PWD/target cargo check --manifest-path "$context/Cargo.toml" --locked --bin farthing
