#!/usr/bin/env bash
# The environment of the peers, .venv/peers. Their packages ask for older versions of what flowvae needs: hence --no-deps.
set -euo pipefail
cd "$(dirname "$0")/../.."
python3.11 -m venv .venv/peers
.venv/peers/bin/pip install -e ".[test]"
.venv/peers/bin/pip install --no-deps -r tests/peers/requirements.txt
