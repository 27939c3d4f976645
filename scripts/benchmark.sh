#!/bin/sh
# wnis bench: measurements that anybody can repeat.
PATH="$(dirname "$0")/../.venv/bin:$PATH" exec wnis bench "$@"
