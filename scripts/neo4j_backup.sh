#!/bin/sh
# wnis backup: one consistent, encrypted set of graph, SQL, jobs, objects and configuration.
PATH="$(dirname "$0")/../.venv/bin:$PATH" exec wnis backup "$@"
