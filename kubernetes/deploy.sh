#!/usr/bin/env bash
# Brings one overlay to the cluster that kubectl talks to: backup, foundation, migration, services, look whether they
# answer; goes back to the services of before when they do not. usage: deploy.sh development|staging|production
# WNIS_VERSION and WNIS_REGISTRY, when set, replace tag and registry of our images (by default those of the overlay).
set -euo pipefail
cd "$(dirname "$0")"
name=${1:?usage: deploy.sh development|staging|production}
overlay=overlays/$name
[ -f "$overlay/kustomization.yaml" ] || { echo "There is no overlay $overlay." >&2; exit 2; }
namespace=$(sed -n 's/^namespace: //p' "$overlay/kustomization.yaml")
services="deployment/api-service deployment/web-interface statefulset/simulator statefulset/ml"

rendered=$(mktemp)
trap 'rm -f "$rendered"' EXIT
kubectl kustomize "$overlay" >"$rendered"
sed -i -E "s|image: (docker.io/wnis)/([a-z-]+):(.*)|image: ${WNIS_REGISTRY:-\1}/\2:${WNIS_VERSION:-\3}|" "$rendered"
in_namespace() { kubectl --namespace "$namespace" "$@"; }
apply() { kubectl apply --filename "$rendered" --selector "wnis.io/phase=$1"; }
succeeded() { # job: waits for its end, whichever
  local state=
  for _ in $(seq 1 600); do
    state=$(in_namespace get job "$1" --output 'jsonpath={.status.conditions[?(@.status=="True")].type}')
    case $state in
      *Failed*) in_namespace logs "job/$1" --tail 20 >&2; return 1 ;;
      *Complete*) return 0 ;;
    esac
    sleep 3
  done
  echo "The job $1 has not ended within half an hour." >&2
  return 1
}

if in_namespace get cronjob backup >/dev/null 2>&1; then
  before=backup-before-$(date -u +%Y%m%d%H%M%S)
  in_namespace create job "$before" --from=cronjob/backup
  succeeded "$before" || { echo "The backup failed; nothing was changed." >&2; exit 1; }
fi

apply foundation
in_namespace rollout status statefulset --selector wnis.io/phase=foundation --timeout 15m
in_namespace rollout status deployment --selector wnis.io/phase=foundation --timeout 5m

# a job cannot be changed, only made again
in_namespace delete job migrate --ignore-not-found
apply migration
succeeded migrate || { echo "The migration failed; the services were left as they are." >&2; exit 1; }

apply services
well=yes
for one in $services; do
  in_namespace rollout status "$one" --timeout 10m || well=no
done
# from inside, past Ingress and certificate: nginx, the API, and all that it needs
[ $well = no ] || in_namespace exec deployment/web-interface -- \
  curl --fail --silent --show-error --retry 10 --retry-all-errors http://127.0.0.1:8080/ready || well=no
if [ $well = no ]; then
  echo "The new services do not answer; going back to those of before." >&2
  ./rollback.sh "$name"
  exit 1
fi
