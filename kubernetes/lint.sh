#!/usr/bin/env bash
# Schemas and policy of rendered manifests. usage: lint.sh FILE...   (kustomize build overlays/production >FILE)
# Needs kubernetes-validate and kube-score. What single objects may do otherwise stands at them (kube-score/ignore).
set -euo pipefail
[ $# -gt 0 ] || { echo "usage: lint.sh FILE..." >&2; exit 2; }
kubernetes-validate --strict --quiet "$@"
# tags are versions and are never moved: pulling one again only makes a start depend on the registry
kube-score score --output-format ci --kubernetes-version v1.32 \
  --ignore-test container-image-pull-policy --enable-optional-test container-seccomp-profile \
  --enable-optional-test container-ports-check ${KUBE_SCORE_FLAGS:-} "$@" |
  { grep --invert-match --extended-regexp '^\[(OK|SKIPPED)\]' || true; }
