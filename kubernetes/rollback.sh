#!/usr/bin/env bash
# Puts the services of an overlay back to the release before. usage: rollback.sh development|staging|production
# The schema stays as it is: migrations only add, so that the release before works on it. Data that a release has
# spoilt come back from the backup that deploy.sh took.
set -euo pipefail
cd "$(dirname "$0")"
name=${1:?usage: rollback.sh development|staging|production}
[ -f "overlays/$name/kustomization.yaml" ] || { echo "There is no overlay overlays/$name." >&2; exit 2; }
namespace=$(sed -n 's/^namespace: //p' "overlays/$name/kustomization.yaml")
services="deployment/web-interface deployment/api-service statefulset/simulator statefulset/ml"

undone=
for one in $services; do
  if kubectl --namespace "$namespace" rollout undo "$one"; then
    undone="$undone $one"
  else
    echo "$one has nothing to go back to." >&2
  fi
done
for one in $undone; do
  kubectl --namespace "$namespace" rollout status "$one" --timeout 10m
done
