"""The error tree.

::

    WnisError                    code
    ├── BadRequest               malformed          missing or unreadable input
    ├── InvalidValue             invalid_value      well formed, but a wrong value
    │   └── InvalidModel         invalid_model      a file that is not a usable network model
    ├── NotAuthenticated         not_authenticated
    ├── Forbidden                forbidden
    ├── NotFound                 not_found
    ├── Conflict                 conflict
    ├── StaleVersion             stale_version      somebody else changed it first
    ├── TooLarge                 too_large
    ├── TooMany                  too_many           a limit on how often or how many
    ├── Unavailable              unavailable        a part of the system is down or busy
    ├── Cancelled                cancelled
    └── Failure                  failure            ours to mend

Every error says what happened, where, and how to mend it. None of them knows about HTTP: the one table
from code to status is `wnis_core.problem`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class FieldProblem:
    """One field of the input and what is wrong with it."""

    field: str
    message: str


class WnisError(Exception):
    """Base of every error that this system raises on purpose.

    Parameters
    ----------
    message : what happened and where, in one sentence
    mend : what the person can do about it, in one sentence; empty when nothing can be done
    fields : the fields at fault
    retry_after_s : seconds after which a new attempt makes sense
    details : further named facts for machines (for example ``section``, ``line``, ``id`` of a bad INP file)
    """

    code: ClassVar[str] = "failure"

    def __init__(
        self,
        message: str,
        *,
        mend: str = "",
        fields: Sequence[FieldProblem] = (),
        retry_after_s: int | None = None,
        details: dict[str, str | int | float | None] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend
        self.fields = tuple(fields)
        self.retry_after_s = retry_after_s
        self.details = dict(details or {})

    def __str__(self) -> str:
        return f"{self.message} {self.mend}".strip()


class BadRequest(WnisError):
    code = "malformed"


class InvalidValue(WnisError):
    code = "invalid_value"


class InvalidModel(InvalidValue):
    code = "invalid_model"


class NotAuthenticated(WnisError):
    code = "not_authenticated"


class Forbidden(WnisError):
    code = "forbidden"


class NotFound(WnisError):
    code = "not_found"


class Conflict(WnisError):
    code = "conflict"


class StaleVersion(WnisError):
    code = "stale_version"


class TooLarge(WnisError):
    code = "too_large"


class TooMany(WnisError):
    code = "too_many"


class Unavailable(WnisError):
    code = "unavailable"


class Cancelled(WnisError):
    code = "cancelled"


class Failure(WnisError):
    code = "failure"


ERRORS_BY_CODE: dict[str, type[WnisError]] = {
    error.code: error
    for error in (
        BadRequest, InvalidValue, InvalidModel, NotAuthenticated, Forbidden, NotFound, Conflict, StaleVersion,
        TooLarge, TooMany, Unavailable, Cancelled, Failure,
    )
}  # fmt: skip
