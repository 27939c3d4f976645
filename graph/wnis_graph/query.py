"""Named queries: every Cypher of this system is one of these.

A query states its access mode, its parameters and its row type. `Runner` executes it; its name is the
``query_type`` label of the metrics. Queries live in ``wnis_graph/queries/<aggregate>.py``; importing
``wnis_graph.queries`` registers them all, which is how one test runs every one against a twin utility.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")
RawRow = Mapping[str, Any]

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_PARAMETER = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")

REGISTRY: dict[str, Query[Any]] = {}


class Access(Enum):
    READ = "READ"
    WRITE = "WRITE"


@dataclass(frozen=True)
class Query(Generic[Row]):
    """A Cypher statement with a name.

    Parameters
    ----------
    name : ``<aggregate>.<intent>``, unique
    access : whether it writes
    cypher : the statement; binds every value as a parameter and uses ``$utility`` unless `platform`
    row : makes the typed row of a record
    timeout_s : limit of its transaction
    platform : true for the few statements that are about no single utility (accounts, migrations)

    Raises
    ------
    ValueError
        the name is taken or malformed, or a utility's query does not use ``$utility``
    """

    name: str
    access: Access
    cypher: str
    row: Callable[[RawRow], Row]
    timeout_s: float = 20.0
    platform: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"Query name {self.name!r} is not <aggregate>.<intent>; rename it.")
        if self.name in REGISTRY:
            raise ValueError(f"Query {self.name!r} is declared twice; rename one of them.")
        if not self.platform and "utility" not in self.parameters:
            raise ValueError(f"Query {self.name!r} does not use $utility; match on it or mark the query platform.")
        REGISTRY[self.name] = self

    @property
    def parameters(self) -> frozenset[str]:
        """Names of the parameters in the statement."""
        return frozenset(_PARAMETER.findall(self.cypher))


def nothing(_: RawRow) -> None:
    """Row type of statements that return no rows."""
