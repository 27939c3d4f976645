"""Mappings: how the columns of somebody's file become our properties.

A mapping is a TOML file (``config/mappings``; described in ``docs/reference/mapping.md``). `load_mapping` checks it
against the declaration in `wnis_core.mapping_targets` and names each key at fault with its mend; `read_table` turns a
CSV file into rows of our names, types and SI units, and accounts for every row that it did not take.
"""

from __future__ import annotations

from wnis_core.mapping_rules import Mapping
from wnis_core.mapping_table import MappedTable, RowProblem, decode, read_rows, read_table, read_text
from wnis_core.mapping_targets import TARGETS
from wnis_core.mapping_toml import load_mapping, parse_mapping

__all__ = [
    "TARGETS", "MappedTable", "Mapping", "RowProblem", "decode", "load_mapping", "parse_mapping", "read_rows",
    "read_table", "read_text",
]  # fmt: skip
