#!/usr/bin/env bash
# Resolve and lock every Python dependency with its hashes: requirements.txt (what runs) and requirements-dev.txt (the
# same and what tests need). The files name no download host.
set -euo pipefail
cd "$(dirname "$0")/.."
export UV_CUSTOM_COMPILE_COMMAND="make lock"
compile=(.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url "$@")
"${compile[@]}" pyproject.toml --group build --output-file requirements.txt
"${compile[@]}" pyproject.toml --group build --group dev --constraint requirements.txt --output-file requirements-dev.txt
