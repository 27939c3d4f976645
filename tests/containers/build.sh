#!/usr/bin/env bash
# Build the images of the services. usage: build.sh [SERVICE...]
set -euo pipefail
# no cache of layers: storage without overlay would copy the whole root for each
cd "$(dirname "$0")/../.."
for service in "${@:-api-service}" ; do
  buildah build --quiet --pull=never --format docker --network host --layers=false --file "$service/Dockerfile" \
    --tag "docker.io/wnis/$service:0.1.0" . >/dev/null
  echo "$service: $(buildah images --format '{{.Size}}' "docker.io/wnis/$service:0.1.0")"
done
