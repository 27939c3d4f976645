#!/bin/bash
# The official image's entry point as far as docker-compose.yml uses it: NEO4J_AUTH_FILE sets the first password, and
# NEO4J_server_memory_heap_max__size=512m and the like become lines of neo4j.conf.
set -euo pipefail
if [ "$(id -u)" = 0 ]; then
  chown 7474:7474 /data /logs
  exec setpriv --reuid=7474 --regid=7474 --clear-groups "$0" "$@"
fi
export NEO4J_HOME=/tmp/neo4j NEO4J_CONF=/tmp/neo4j/conf
mkdir -p "$NEO4J_CONF" "$NEO4J_HOME/run" "$NEO4J_HOME/plugins" "$NEO4J_HOME/import"
{
  echo "server.directories.data=/data"
  echo "server.directories.logs=/logs"
  echo "server.default_listen_address=0.0.0.0"
  while IFS='=' read -r name value; do
    case "$name" in
      NEO4J_AUTH* | NEO4J_HOME | NEO4J_CONF) ;;
      NEO4J_*)
        setting=${name#NEO4J_}
        setting=${setting//__/%}
        setting=${setting//_/.}
        echo "${setting//%/_}=$value"
        ;;
    esac
  done < <(env)
} >"$NEO4J_CONF/neo4j.conf"
opens=()
for package in java.nio java.io sun.nio.ch java.util.concurrent; do opens+=("--add-opens=java.base/$package=ALL-UNNAMED"); done
java=("$JAVA_HOME/bin/java" -XX:+UseSerialGC -XX:-UsePerfData -Xmx"${NEO4J_server_memory_heap_max__size:-512m}" "${opens[@]}"
  -Dlog4j2.disable.jmx=true -Dio.netty.tryReflectionSetAccessible=true -cp "/opt/neo4j/lib/*")
if [ ! -d /data/databases/system ]; then
  auth=$(cat "$NEO4J_AUTH_FILE")
  "${java[@]}" org.neo4j.cli.AdminTool dbms set-initial-password "${auth#neo4j/}" >/dev/null
fi
exec "${java[@]}" org.neo4j.server.CommunityEntryPoint --home-dir="$NEO4J_HOME" --config-dir="$NEO4J_CONF"
