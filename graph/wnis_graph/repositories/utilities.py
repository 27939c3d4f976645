"""Utilities: the owners of networks."""

from __future__ import annotations

from wnis_core.errors import NotFound

from wnis_graph.queries import utilities
from wnis_graph.queries.utilities import Utility
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope

__all__ = ["Utility", "UtilityRepository"]


class UtilityRepository:
    """Utilities of this installation."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def ensure(self, scope: Scope, name: str | None = None) -> Utility:
        """The scope's utility, made under `name` (else its id) when it is not there."""
        return self._runner.run(scope, utilities.ENSURE, name=name or scope.utility)[0]

    def get(self, scope: Scope) -> Utility:
        """The scope's utility, or NotFound."""
        found = self._runner.run_one(scope, utilities.GET)
        if found is None:
            raise NotFound(f"There is no utility {scope.utility!r}.")
        return found

    def list(self, scope: Scope) -> list[Utility]:
        """All utilities by id."""
        return self._runner.run(scope, utilities.LIST)
