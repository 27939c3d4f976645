"""The version of Neo4j that comes after the one that this program runs, for tests of the way there and back."""

from __future__ import annotations

from pathlib import Path

from wnis_neo4j.lock import Release

# written by: python -m wnis_neo4j.lock 2026.08.1 tests/component/neo4j/neo4j-2026.lock
NEXT = Release("2026.08.1", Path(__file__).with_name("neo4j-2026.lock"), "org.neo4j.server.Neo4jCommunity")
