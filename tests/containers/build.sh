#!/usr/bin/env bash
# Build the images of the services. usage: build.sh SERVICE...
set -euo pipefail
# shellcheck source=tests/containers/machine.sh
. "$(dirname "$0")/machine.sh"
cd "$root"
for service in "$@"; do
  began=$SECONDS
  # --format docker: the other one has no HEALTHCHECK. Without a cache of layers: where every layer is a copy of all
  # below it, it would fill the disk.
  buildah build --quiet --pull=never --format docker --network host --layers=false --file "$service/Dockerfile" \
    --tag "docker.io/wnis/$service:0.1.0" . >/dev/null
  echo "wnis/$service: built in $((SECONDS - began)) s, $(buildah images --format '{{.Size}}' "docker.io/wnis/$service:0.1.0")"
done
