#!/usr/bin/env bash
# Build the images of the services, two at a time. usage: build.sh SERVICE...
set -euo pipefail
# shellcheck source=tests/containers/machine.sh
. "$(dirname "$0")/machine.sh"
cd "$root"

build() {
  local began=$SECONDS image=docker.io/wnis/$1:0.1.0
  # --format docker: the other one has no HEALTHCHECK. Without a cache of layers: where every layer is a copy of all
  # below it, it would fill the disk.
  buildah build --quiet --pull=never --format docker --network host --layers=false --file "$1/Dockerfile" \
    --tag "$image" . >"$scratch/build-$1.log" 2>&1 || {
    echo "wnis/$1 cannot be built:" && tail -n 30 "$scratch/build-$1.log"
    return 1
  } >&2
  echo "wnis/$1: built in $((SECONDS - began)) s, $(buildah images --format '{{.Size}}' "$image")"
}
export -f build
export scratch
printf '%s\n' "$@" | xargs --max-procs 2 --replace bash -euc 'build "{}"'
