#!/bin/sh
# Upgrade the system of docker-compose.yml: scripts/deploy.sh VERSION [--build] [--no-backup]
# The API's new container serves beside the old one until that has finished; when a step fails, what was done is taken
# back and the script ends with 1. docs/guide/operations/compose.md
set -eu
cd "$(dirname "$0")/.."
: "${COMPOSE:=docker compose}" "${ENGINE:=docker}" "${WAIT_S:=300}"
project=wnis
next="$project-next" next_web="$project-next-web"
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
serves=$old
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
page="curl --fail --silent --insecure --output /dev/null https://127.0.0.1:8443/"
ready() { # service: what shows that it serves
  case $1 in
    api-service) probe 8080 ready ;;
    simulator) probe 8081 ready ;;
    ml) probe 8082 ready ;;
    web-interface) echo "$page" ;;
  esac
}
image_of() { $ENGINE image inspect --format '{{.Id}}' "docker.io/wnis/$1:$2" 2>/dev/null; }
last_words() { $ENGINE logs --tail 5 "$1" 2>&1 || true; }
replace() { # version, service: the old container ends and the new one begins
  name=$(named "$2")
  $ENGINE stop --time 40 "$name" >/dev/null 2>&1 || true
  $ENGINE rm --force "$name" >/dev/null 2>&1 || true
  said=$(compose "$1" up --detach --no-deps --no-recreate --no-build "$2" 2>&1) || { echo "$said" >&2; return 1; }
}
put() { # version, service: it serves in the place of the old one
  replace "$1" "$2" || { echo "error: $2 does not start" >&2; return 1; }
  await "$(named "$2")" "$(ready "$2")" ||
    { echo "error: $2 does not become ready: $(last_words "$(named "$2")")" >&2; return 1; }
}
forget() { $ENGINE stop --time 40 "$1" >/dev/null 2>&1 || true; $ENGINE rm --force "$1" >/dev/null 2>&1 || true; }
forget_next() { forget "$next_web"; forget "$next"; }
whole() { # the API that serves has found all the others
  waited=0
  until ask "$(named api-service)" /ready; do
    waited=$((waited + 1))
    [ $waited -lt "$WAIT_S" ] || return 1
    sleep 1
  done
}
services_back() { back=0; for one in simulator ml; do put "$old" "$one" || back=1; done; return $back; }
api_back() { put "$old" api-service && sleep $resolver_s; }
web_back() { put "$old" web-interface; }

ended() {
  status=$?
  trap - EXIT INT TERM
  if [ $status -ne 0 ]; then
    # the tried container serves until the old one is back
    for one in $undo; do
      step "taking back: $one" >&2
      "$one" || echo "error: $one failed: look at '$COMPOSE ps'" >&2
    done
    if [ -z "$undo" ] || whole; then
      echo "version $serves serves on" >&2
    else
      echo "error: version $serves is back, but not ready: look at '$COMPOSE ps' and its logs" >&2
    fi
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
await "$next" "$(ready api-service)" || fail "it does not become ready: $(last_words "$next")"

step "checks"
for path in /ready /health /api/openapi.json; do
  ask "$next" "$path" || fail "the new API does not answer $path"
done
if [ "$(image_of web-interface "$old")" = "$(image_of web-interface "$new")" ]; then
  web=same
else
  # without the host's ports, which the old one holds: what cannot work shows before anybody misses the page
  web=new
  compose "$new" run -d --no-deps --name "$next_web" web-interface >/dev/null || fail "the new nginx does not start"
  await "$next_web" "$page" || fail "the new nginx does not serve the page: $(last_words "$next_web")"
  forget "$next_web"
fi

step "switch"
undo="services_back forget_next"
# what needs ml or a run is answered 503 with Retry-After for some seconds; jobs go on in the new container
for service in simulator ml; do
  put "$new" "$service" || fail "the new $service does not serve"
done
# not while it runs: what it answers just now would never arrive, its connections belong to the address that it has
$ENGINE stop --time 40 "$next" >/dev/null
$ENGINE network disconnect "${project}_inside" "$next"
$ENGINE network connect --alias api-service "${project}_inside" "$next"
$ENGINE start "$next" >/dev/null
await "$next" "$(ready api-service)" || fail "the new API does not find the new services: $(last_words "$next")"
sleep $resolver_s
undo="services_back api_back forget_next"
put "$new" api-service || fail "the new API does not serve in its place"
sleep $resolver_s
if [ $web = new ]; then
  # the one part that holds the host's ports: connections are refused for a second
  undo="web_back services_back api_back forget_next"
  put "$new" web-interface || fail "the new nginx does not serve"
fi
# from here on this is the version that serves; until it is written down everything can go back
{ sed '/^WNIS_VERSION=/d' .env && echo "WNIS_VERSION=$new"; } >.env.new || fail "the version cannot be written down"
mv .env.new .env || fail "the version cannot be written down in .env"
undo= serves=$new

step "drain"
forget_next
whole || echo "error: it is not ready: look at '$COMPOSE ps' and its logs" >&2
step "version $new serves"
