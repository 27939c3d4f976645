#!/bin/sh
# Make the secrets that docker-compose.yml mounts, once: what is there is kept. usage: scripts/secrets.sh [FOLDER]
# The folder is for its owner alone; the files in it can be read by the containers' own users.
set -eu
folder=${1:-secrets}
umask 077
mkdir -p "$folder"
chmod 0700 "$folder"

random() { head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }
keep() { # name, text
  [ -s "$folder/$1" ] && return
  printf '%s' "$2" >"$folder/$1.new"
  chmod 0444 "$folder/$1.new"
  mv "$folder/$1.new" "$folder/$1"
  echo "made $folder/$1"
}

keep neo4j "$(random 24)"
keep neo4j-auth "neo4j/$(cat "$folder/neo4j")"
keep postgres "$(random 24)"
keep sql-url "postgresql://wnis:$(cat "$folder/postgres")@postgres:5432/wnis"
keep jwt "$(random 32)"
keep internal "$(random 32)"
keep signing-key "$(random 32)"
keep admin "$(random 12)"
keep backup-key "$(random 32)"
keep grafana "$(random 16)"

if [ ! -s "$folder/tls.crt" ] || [ ! -s "$folder/tls.key" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj "/CN=localhost" \
    -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" -keyout "$folder/tls.key" -out "$folder/tls.crt" 2>/dev/null
  chmod 0444 "$folder/tls.key" "$folder/tls.crt"
  echo "made $folder/tls.crt: self-signed, for one year; put your own certificate and key in its place"
fi
