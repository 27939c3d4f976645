#!/bin/sh
# wnis models import: verifies models that were exported, and makes them the current ones.
PATH="$(dirname "$0")/../.venv/bin:$PATH" exec wnis models import "$@"
