"""Runs one checked statement in a child process: what an answer may take of memory is the child's, not the API's.

A single row may be larger than any limit on rows can see: ten thousand times the same text is one reference each in
the server and a gigabyte on the way here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def run(arguments: dict[str, Any], report: Callable[[float, str], None]) -> dict[str, Any]:
    """The rows of ``arguments["cypher"]``; see `answers.collect_rows`."""
    for unneeded in ("numpy", "pandas", "pyarrow"):
        # the driver looks for them, which takes longer than everything else
        sys.modules[unneeded] = None  # type: ignore[assignment]  # the documented way to have an import fail
    import neo4j
    from neo4j.exceptions import Neo4jError
    from wnis_core.errors import Unavailable

    from wnis_graph.analyst.answers import collect_rows
    from wnis_graph.analyst.plans import translated

    timeout_s = float(arguments["timeout_s"])
    auth = (arguments["user"], arguments["password"])
    try:
        with (
            neo4j.GraphDatabase.driver(
                arguments["uri"], auth=auth, notifications_min_severity="OFF", user_agent="wnis", connection_timeout=5.0
            ) as driver,
            driver.session(default_access_mode=neo4j.READ_ACCESS, fetch_size=10) as session,
            session.begin_transaction(timeout=timeout_s, metadata={"wnis_query": arguments["query_id"]}) as tx,
        ):
            rows = collect_rows(tx.run(arguments["cypher"], arguments["parameters"]), arguments["row_limit"])
            tx.rollback()
            return rows
    except Neo4jError as error:
        raise translated(error, timeout_s) from error
    except neo4j.exceptions.DriverError as error:
        raise Unavailable("The graph database is not available.", retry_after_s=5) from error
