#!/usr/bin/env bash
# Build every image, start docker-compose.yml and run the tests marked 'containers'. usage: run.sh [PYTEST ARGUMENTS...]
# WNIS_KEEP_IMAGES=1 leaves the images for the next run; otherwise nothing is left.
set -euo pipefail
# shellcheck source=tests/containers/machine.sh
. "$(dirname "$0")/machine.sh"
cd "$root"
finish() {
  if [ "${WNIS_KEEP_IMAGES:-0}" = 1 ]; then
    podman rm --all --force --time 0 >/dev/null
    podman image prune --force >/dev/null # what newer ones of the same name replaced
  else
    remove_everything
  fi
}
trap finish EXIT
trap 'exit 130' INT TERM

bash tests/containers/bases.sh
timeout 60 podman run --rm docker.io/library/debian:bookworm-slim true \
  || cannot "podman starts no container (its words are above)."
bash tests/containers/build.sh web-interface api-service simulator ml
.venv/bin/python -m pytest -m containers tests/containers "$@"
