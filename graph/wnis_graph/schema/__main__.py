"""Write what is generated from the schema declaration, or check that it is up to date.

Run from the root of the repository::

    python -m wnis_graph.schema            # writes init-scripts/*.cypher and docs/reference/graph.md
    python -m wnis_graph.schema --check    # exit status 1 when one of them differs
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from wnis_graph.schema.ddl import constraint_statements, index_statements
from wnis_graph.schema.model import SCHEMA
from wnis_graph.schema.reference import reference_page
from wnis_graph.schema.scripts import mini_network_statements, script


def generated_files() -> dict[str, str]:
    """Contents by path from the root of the repository."""
    return {
        "init-scripts/01-constraints.cypher": script(constraint_statements(SCHEMA), "Uniqueness constraints."),
        "init-scripts/02-indexes.cypher": script(index_statements(SCHEMA), "Range, full-text and point indexes."),
        "init-scripts/mini-network.cypher": script(
            mini_network_statements(SCHEMA), "The mini network, in the utility 'default'."
        ),
        "docs/reference/graph.md": reference_page(SCHEMA),
    }


def main(arguments: Sequence[str]) -> int:
    """Exit status of the command."""
    parser = argparse.ArgumentParser(prog="python -m wnis_graph.schema", description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; fail when a file is out of date")
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="root of the repository (default: here)")
    options = parser.parse_args(arguments)
    stale = []
    for name, content in generated_files().items():
        path = options.root / name
        if path.is_file() and path.read_text(encoding="utf-8") == content:
            continue
        stale.append(name)
        if not options.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    for name in stale:
        sys.stderr.write(f"{name} is out of date; run python -m wnis_graph.schema\n" if options.check else f"{name}\n")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
