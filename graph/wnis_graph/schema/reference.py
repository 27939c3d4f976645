"""The reference page of the graph model, from the declaration."""

from __future__ import annotations

from wnis_graph.schema.ddl import constraint_statements, index_statements
from wnis_graph.schema.declaration import Label, Property, Schema

_HEAD = """\
# Graph reference

Generated from `graph/wnis_graph/schema/model.py` by `python -m wnis_graph.schema`; do not edit.

A tenant's node carries `utility`, the id of its owner, and is unique by `(utility, id)`. Required properties, types and
closed sets are enforced by the program at its one write door, since Neo4j Community has no such constraints. All times
are UTC. Numbers state their unit; `1` is dimensionless.
"""


def reference_page(schema: Schema) -> str:
    """Markdown of every label, relationship, constraint and index."""
    parts = [_HEAD, _overview(schema)]
    parts += [_label(label) for label in schema.labels]
    parts += ["## Relationships\n"]
    for relationship in schema.relationships:
        ends = f"`({' | '.join(relationship.sources)})-[:{relationship.name}]->({' | '.join(relationship.targets)})`"
        parts.append(f"### {relationship.name}\n\n{ends}: {relationship.description}.\n")
        if relationship.properties:
            parts.append(_table(relationship.properties))
    ddl = ";\n".join((*constraint_statements(schema), *index_statements(schema)))
    parts.append(f"## Constraints and indexes\n\n```cypher\n{ddl};\n```\n")
    return "\n".join(parts)


def _overview(schema: Schema) -> str:
    rows = [f"| [{x.name}](#{x.name.lower()}) | {x.base or ''} | {x.description} |" for x in schema.labels]
    return "\n".join(["## Labels\n", "| Label | Base | What it is |", "|---|---|---|", *rows, ""])


def _label(label: Label) -> str:
    text = f"### {label.name}\n\n{label.description}\n"
    if label.base:
        text += f"\nAlso carries the label [{label.base}](#{label.base.lower()}) and has its properties.\n"
    return text + ("\n" + _table(label.properties) if label.properties else "")


def _table(properties: tuple[Property, ...]) -> str:
    rows = ["| Property | Type | Unit | Required | Description |", "|---|---|---|---|---|"]
    for p in properties:
        values = f" One of: {', '.join(p.values)}." if p.values else ""
        description = p.description.replace("|", "\\|")
        rows.append(
            f"| `{p.name}` | {p.kind} | {p.unit or ''} | {'yes' if p.required else ''} | {description}.{values} |"
        )
    return "\n".join([*rows, ""])
