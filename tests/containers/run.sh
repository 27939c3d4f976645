#!/usr/bin/env bash
# Build every image and run the tests that need containers. Settings for a machine without overlay, systemd or control
# groups of its own; set STORAGE_DRIVER to use another storage.
set -euo pipefail
cd "$(dirname "$0")/../.."
export STORAGE_DRIVER="${STORAGE_DRIVER:-vfs}" BUILDAH_ISOLATION=chroot
export CONTAINERS_CONF="$PWD/tests/containers/containers.conf"
bash tests/containers/bases.sh .cache/containers
bash tests/containers/build.sh web-interface api-service simulator ml
.venv/bin/python -m pytest -m containers "$@"
