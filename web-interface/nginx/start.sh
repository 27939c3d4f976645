#!/bin/sh
# Starts nginx in front of the API: writes the configuration that the environment asks for and runs it.
# All that nginx writes lies under NGINX_RUN; everything else may be read-only, and no step needs root.
set -eu
here=$(dirname "$(readlink -f "$0")")

: "${NGINX_API:=api-service:8080}"                    # where the API answers, name:port
: "${NGINX_RUN:=/tmp/nginx}"                          # writable: pid, temporary files, the written configuration
: "${NGINX_ROOT:=/usr/share/nginx/html}"              # the built page
: "${NGINX_HTTP_PORT:=8080}"                          # plain HTTP; redirects to HTTPS
: "${NGINX_HTTPS_PORT:=8443}"                         # HTTPS
: "${NGINX_PUBLIC_HTTPS_PORT:=443}"                   # the port of HTTPS as people see it, for the redirect
: "${NGINX_TLS:=on}"                                  # off: plain HTTP only, for a machine's own loopback
: "${NGINX_TLS_CERTIFICATE:=/run/secrets/tls.crt}"    # the certificate and its chain, PEM
: "${NGINX_TLS_KEY:=/run/secrets/tls.key}"            # its key, PEM
: "${NGINX_TRUSTED_PROXIES:=}"                        # addresses or networks whose X-Forwarded-* are believed
: "${NGINX_RESOLVER:=}"                               # name servers; empty: those of /etc/resolv.conf
: "${NGINX_ACCESS_LOG:=/dev/stdout}"                  # where the access log goes
: "${NGINX_WORKERS:=2}"                               # worker processes
: "${WNIS_MAX_UPLOAD_MB:=64}"                         # the same setting as the API's

refuse() {
    echo "nginx is not started: $1" >&2
    exit 1
}

case $WNIS_MAX_UPLOAD_MB in
    '' | *[!0-9]*) refuse "WNIS_MAX_UPLOAD_MB is '$WNIS_MAX_UPLOAD_MB', not a whole number. Correct it." ;;
esac
case $NGINX_TLS in
    on | off) ;;
    *) refuse "NGINX_TLS is '$NGINX_TLS'. Set it to on or off." ;;
esac
[ -f "$NGINX_ROOT/index.html" ] || refuse "NGINX_ROOT ($NGINX_ROOT) holds no index.html. Name the folder of the built page."
mkdir -p "$NGINX_RUN" 2>/dev/null && [ -w "$NGINX_RUN" ] ||
    refuse "NGINX_RUN ($NGINX_RUN) cannot be written. Mount a writable folder there."

listen=''
if [ "$NGINX_TLS" = on ]; then
    for name in NGINX_TLS_CERTIFICATE NGINX_TLS_KEY; do
        eval "file=\$$name"
        [ -r "$file" ] || refuse "$name ($file) cannot be read. Name a PEM file, or set NGINX_TLS=off behind a proxy."
    done
    if command -v openssl >/dev/null && ! openssl x509 -noout -checkend 0 -in "$NGINX_TLS_CERTIFICATE" >/dev/null 2>&1; then
        refuse "NGINX_TLS_CERTIFICATE ($NGINX_TLS_CERTIFICATE) has expired or is no certificate. Renew it."
    fi
    listen="
    server {
        listen $NGINX_HTTPS_PORT ssl http2;
        ssl_certificate $NGINX_TLS_CERTIFICATE;
        ssl_certificate_key $NGINX_TLS_KEY;
        include site.conf;
    }"
fi

if [ -z "$NGINX_RESOLVER" ] && [ -r /etc/resolv.conf ]; then
    # an IPv6 address needs brackets
    NGINX_RESOLVER=$(awk '$1 == "nameserver" { print ($2 ~ /:/) ? "[" $2 "]" : $2 }' /etc/resolv.conf | tr '\n' ' ')
fi

trusted=''
believed=''
for proxy in $NGINX_TRUSTED_PROXIES; do
    trusted="$trusted set_real_ip_from $proxy;"
    believed="$believed $proxy 1;"
done

port=''
[ "$NGINX_PUBLIC_HTTPS_PORT" = 443 ] || port=":$NGINX_PUBLIC_HTTPS_PORT"

modules=/usr/lib/nginx/modules
brotli=''
if [ -f "$modules/ngx_http_brotli_filter_module.so" ]; then
    brotli=on
fi

# nginx looks for included files beside the one that it was given
cp "$here"/*.conf "$NGINX_RUN"
cat >"$NGINX_RUN/nginx.conf" <<END
# Written by start.sh at every start.
${brotli:+load_module $modules/ngx_http_brotli_filter_module.so;}
daemon off;
pid nginx.pid;
worker_processes $NGINX_WORKERS;
# below 'crit' nginx writes whole request lines, query and all; what failed is in the access log
error_log stderr crit;
events {
    worker_connections 1000;
}
http {
    ${NGINX_RESOLVER:+resolver $NGINX_RESOLVER valid=5s ipv6=off;}
    # a name server that is away: after a second try 503 with Retry-After, not half a minute of silence
    ${NGINX_RESOLVER:+resolver_timeout 10s;}
    map '' \$api { default $NGINX_API; }
    map '' \$public_port { default '$port'; }
    map '' \$redirected { default $NGINX_TLS; }
    geo \$realip_remote_addr \$believed { default 0; $believed }
    $trusted
    root $NGINX_ROOT;
    # one more than the API takes, so that the API's own words are heard first
    client_max_body_size $((WNIS_MAX_UPLOAD_MB + 1))m;
    include http.conf;
    access_log $NGINX_ACCESS_LOG ecs;
    ${brotli:+include brotli.conf;}
    server {
        listen $NGINX_HTTP_PORT;
        if (\$must_redirect) {
            return 308 https://\$host\$public_port\$request_uri;
        }
        include site.conf;
    }$listen
}
END

# -e: what nginx says before it has read its configuration goes to no file of the image
exec nginx -e stderr -p "$NGINX_RUN" -c "$NGINX_RUN/nginx.conf" "$@"
