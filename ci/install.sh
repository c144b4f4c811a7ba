#!/usr/bin/env bash
# Installs from Debian what the other steps need and the machine does not have.
set -euo pipefail

needed=()
need() { # `need COMMAND PACKAGE`
  command -v "$1" >/dev/null || needed+=("$2")
}
need cc build-essential
need curl curl
need git git
need node nodejs
need npm npm
need chromium chromium
need setpriv util-linux
python3 -c 'import venv, ensurepip' 2>/dev/null || needed+=(python3 python3-venv)

if [ ${#needed[@]} -eq 0 ]; then
  echo "nothing is missing"
  exit 0
fi
echo "missing: ${needed[*]}"
apt-get update --quiet=2
apt-get install --quiet=2 --yes --no-install-recommends "${needed[@]}" >/dev/null
