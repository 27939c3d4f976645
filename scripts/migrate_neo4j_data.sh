#!/bin/sh
# wnis graph export|import: the graph from one Neo4j to another, of whatever version.
PATH="$(dirname "$0")/../.venv/bin:$PATH" exec wnis graph "$@"
