#!/bin/sh
# Upgrade the system of docker-compose.yml: scripts/deploy.sh VERSION [--build] [--no-backup]
# The API's new container serves beside the old one until that has finished; when a step fails, what was done is taken
# back and the script ends with 1. docs/guide/operations/compose.md
set -eu
cd "$(dirname "$0")/.."
: "${COMPOSE:=docker compose}" "${ENGINE:=docker}" "${WAIT_S:=300}"
project=wnis
next="$project-next"
# nginx keeps an address for 5 s
resolver_s=6

[ $# -ge 1 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
new=$1; shift
build=no backup=yes
for word in "$@"; do
  case $word in
    --build) build=yes ;;
    --no-backup) backup=no ;;
    *) echo "unknown option $word" >&2; exit 2 ;;
  esac
done

touch .env
old=$(sed -n 's/^WNIS_VERSION=//p' .env | tail -n 1)
old=${old:-0.1.0}
began=$(date +%s)
undo=

step() { echo "[$(($(date +%s) - began)) s] $1"; }
fail() { echo "error: $1" >&2; exit 1; }
compose() { WNIS_VERSION=$1; shift; export WNIS_VERSION; $COMPOSE "$@"; }
container() { echo "${project}_$1_1"; }
named() { # docker compose joins names by hyphens
  for name in "${project}-$1-1" "${project}_$1_1"; do
    if $ENGINE container inspect "$name" >/dev/null 2>&1; then echo "$name"; return; fi
  done
  container "$1"
}
ask() { # container, path
  $ENGINE exec "$1" python -c "
import json, sys
from urllib.request import urlopen
document = json.load(urlopen('http://127.0.0.1:8080$2', timeout=20))
sys.exit(document.get('status', 'ready') not in ('ready', 'ok'))" >/dev/null 2>&1
}
await() { # container, what it does for us
  waited=0
  until $ENGINE exec "$1" sh -c "$2" >/dev/null 2>&1; do
    waited=$((waited + 1))
    [ $waited -lt "$WAIT_S" ] || return 1
    [ "$($ENGINE container inspect --format '{{.State.Running}}' "$1" 2>/dev/null)" = true ] || return 1
    sleep 1
  done
}
probe() { echo "python -c \"from urllib.request import urlopen; urlopen('http://127.0.0.1:$1/$2', timeout=20)\""; }
replace() { # version, service: the old container ends and the new one begins
  name=$(named "$2")
  $ENGINE stop --time 40 "$name" >/dev/null 2>&1 || true
  $ENGINE rm --force "$name" >/dev/null 2>&1 || true
  compose "$1" up --detach --no-deps --no-recreate --no-build "$2" >/dev/null 2>&1
}
forget_next() { $ENGINE stop --time 40 "$next" >/dev/null 2>&1 || true; $ENGINE rm --force "$next" >/dev/null 2>&1 || true; }
services_back() { for one in simulator ml; do replace "$old" "$one"; done; }
api_back() { replace "$old" api-service; await "$(named api-service)" "$(probe 8080 ready)"; sleep $resolver_s; }

ended() {
  status=$?
  trap - EXIT INT TERM
  if [ $status -ne 0 ]; then
    # the tried container serves until the old one is back
    for one in $undo; do
      step "taking back: $one" >&2
      "$one" || echo "error: $one failed: look at '$COMPOSE ps'" >&2
    done
    echo "version $old serves on" >&2
  fi
  exit $status
}
trap ended EXIT
trap 'exit 1' INT TERM

step "requirements"
[ -d secrets ] || fail "there are no secrets here: run scripts/secrets.sh"
[ "$new" != "$old" ] || fail "version $old is the one that serves"
$COMPOSE version >/dev/null 2>&1 || fail "'$COMPOSE' cannot be run: install it, or name it by COMPOSE"
ask "$(named api-service)" /ready || fail "the system that runs is not ready: look at '$COMPOSE ps' and its logs"
free_kb=$(df -Pk . | awk 'NR == 2 { print $4 }')
[ "$free_kb" -gt 5000000 ] || fail "less than 5 GB of disk are free: $ENGINE image prune"

if [ $backup = yes ]; then
  step "backup"
  compose "$old" --profile backup run --rm -T --no-deps backup || fail "the backup failed; nothing was changed"
fi

step "images of $new"
if [ $build = yes ]; then
  compose "$new" build api-service simulator ml web-interface || fail "the images could not be built"
fi
for service in api-service simulator ml web-interface; do
  image="docker.io/wnis/$service:$new"
  $ENGINE image inspect "$image" >/dev/null 2>&1 || $ENGINE pull "$image" || fail "there is no image $image"
done

step "databases"
compose "$new" run --rm -T --no-deps migrate python -m wnis_ops.deploy.prepare /var/lib/wnis ||
  fail "the databases were not changed; the reason is above"

step "new API beside the old one"
forget_next
undo="forget_next"
compose "$new" run -d --no-deps --name "$next" api-service >/dev/null || fail "its container does not start"
await "$next" "$(probe 8080 ready)" || fail "it does not become ready: $($ENGINE logs --tail 5 "$next" 2>&1)"

step "checks"
for path in /ready /health /api/openapi.json; do
  ask "$next" "$path" || fail "the new API does not answer $path"
done

step "switch"
undo="services_back forget_next"
# what needs ml or a run is answered 503 with Retry-After for some seconds; jobs go on in the new container
for service in simulator:8081 ml:8082; do
  replace "$new" "${service%:*}" || fail "${service%:*} does not start"
  await "$(named "${service%:*}")" "$(probe "${service#*:}" ready)" || fail "${service%:*} does not become ready"
done
$ENGINE network disconnect "${project}_inside" "$next"
$ENGINE network connect --alias api-service "${project}_inside" "$next"
# its connections to the databases belonged to the address that it had
$ENGINE restart --time 20 "$next" >/dev/null
await "$next" "$(probe 8080 ready)" || fail "the new API does not find the new services"
sleep $resolver_s
undo="services_back api_back forget_next"
replace "$new" api-service || fail "the new API does not start"
await "$(named api-service)" "$(probe 8080 ready)" || fail "the new API does not become ready in its place"
sleep $resolver_s

step "drain"
forget_next
if [ "$($ENGINE image inspect --format '{{.Id}}' "docker.io/wnis/web-interface:$old")" != \
  "$($ENGINE image inspect --format '{{.Id}}' "docker.io/wnis/web-interface:$new")" ]; then
  # the one part that holds the host's ports: connections are refused for a second
  replace "$new" web-interface || fail "nginx does not start"
fi

step "clean up"
undo=
sed '/^WNIS_VERSION=/d' .env >.env.new
echo "WNIS_VERSION=$new" >>.env.new
mv .env.new .env
step "version $new serves"
