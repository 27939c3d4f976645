"""A whole graph as lines of JSON, which any Neo4j of any version can take over.

The lines are, in this order: one header (format, schema, migrations), one a node, one a relationship, one end with
counts and checksums. `export_lines` writes them in bounded memory, `GraphLoader` brings them into an empty server.
"""

from wnis_graph.bundle.export import GraphCensus, export_lines, rehearse, take_census
from wnis_graph.bundle.load import GraphLoader, read_census

__all__ = ["GraphCensus", "GraphLoader", "export_lines", "read_census", "rehearse", "take_census"]
