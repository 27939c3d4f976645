#!/bin/sh
# wnis models export: the current models as signed files.
PATH="$(dirname "$0")/../.venv/bin:$PATH" exec wnis models export "$@"
