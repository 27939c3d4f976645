#!/bin/sh
# wnis migrate: brings the graph and the SQL database up to date and makes the first account.
PATH="$(dirname "$0")/../.venv/bin:$PATH" exec wnis migrate "$@"
