#!/usr/bin/env bash
# Resolve and lock every Python dependency with its hashes: requirements.txt (what runs) and requirements-dev.txt (the
# same and what tests need). The files name no download host. Each image installs a part of the former, in the same versions.
set -euo pipefail
cd "$(dirname "$0")/.."
export UV_CUSTOM_COMPILE_COMMAND="make lock"
compile=(.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url "$@")
"${compile[@]}" pyproject.toml --group build --output-file requirements.txt
"${compile[@]}" pyproject.toml --group build --group dev --constraint requirements.txt --output-file requirements-dev.txt

for service in api-service simulator ml; do
  "${compile[@]}" "$service/requirements.in" --constraint requirements.txt --output-file "$service/requirements.txt"
done
"${compile[@]}" ml/requirements-torch.in --constraint requirements.txt --output-file ml/requirements-torch.txt
"${compile[@]}" ml/requirements-build.in --constraint requirements.txt --output-file ml/requirements-build.txt
"${compile[@]}" --group pyproject.toml:build --group pyproject.toml:images --constraint requirements.txt --output-file requirements-build.txt
