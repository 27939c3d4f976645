"""What the supervisor of a running instance can be asked to do, and what came of it.

Whoever may write in the home asks by a file; the supervisor acts between two looks at its children and answers by
another. It alone has the environment of the instance (addresses, secrets), so that nobody migrates another database
than the one that is served. Neither side has to be of the same release, and the asking one may die meanwhile.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from wnis_core.errors import Failure, Unavailable

from wnis_ops.place import Home

_LIMIT_S = 3600.0
_TAKEN_S = 30.0


class Do(StrEnum):
    """What to do with the release that is named.

    RUN: one of its programs, beside everything. TRY: start its API on a socket that only this machine knows. DROP: end
    what is tried. SWITCH: have its services take over.
    """

    RUN = "run"
    TRY = "try"
    DROP = "drop"
    SWITCH = "switch"


@dataclass(frozen=True)
class Order:
    """One thing to do.

    Parameters
    ----------
    python : the interpreter of the release
    words : for RUN, the module and its arguments
    """

    id: str
    do: Do
    python: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of an order.

    Parameters
    ----------
    done : whether it was done; if not, everything is as before
    reason : why not
    said : for RUN, the last line of the program; for TRY, the address of the tried API; for SWITCH, what had
        to be ended
    serving : whether some release serves; false only when neither the new nor the old one came up
    """

    id: str
    done: bool
    reason: str = ""
    said: str = ""
    serving: bool = True


def ask(home: Home, do: Do, python: str = "", words: tuple[str, ...] = (), *, tick: Callable[[], None]) -> Outcome:
    """Have the supervisor of `home` do something, and wait for what comes of it.

    Raises
    ------
    Failure
        the supervisor does not take orders
    Unavailable
        it gives no answer
    """
    order = Order(uuid.uuid4().hex, do, python, words)
    _write(_order_file(home), asdict(order))
    begun = time.monotonic()
    while time.monotonic() - begun < _LIMIT_S:
        tick()
        answer = _read(_outcome_file(home))
        if answer is not None and answer.get("id") == order.id:
            return Outcome(**answer)
        if time.monotonic() - begun > _TAKEN_S and _order_file(home).exists():
            _order_file(home).unlink(missing_ok=True)
            raise Failure(
                f"The supervisor of {home.path} takes no orders.",
                mend="Start the instance anew with `wnis down` and `wnis up`.",
            )
        time.sleep(0.1)
    raise Unavailable(f"No answer within {_LIMIT_S:.0f} s.", mend=f"Look at `wnis status` and {home.path / 'logs'}.")


def take(home: Home) -> Order | None:
    """The order that waits, taken away; None when there is none."""
    asked = _read(_order_file(home))
    if asked is None:
        return None
    _order_file(home).unlink(missing_ok=True)
    return Order(str(asked["id"]), Do(asked["do"]), str(asked["python"]), tuple(asked["words"]))


def answer(home: Home, outcome: Outcome) -> None:
    """Tell whoever asked."""
    _write(_outcome_file(home), asdict(outcome))


def _order_file(home: Home) -> Path:
    return home.path / "run" / "order.json"


def _outcome_file(home: Home) -> Path:
    return home.path / "run" / "outcome.json"


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return None
    return found if isinstance(found, dict) else None


def _write(file: Path, document: Mapping[str, object]) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(document), encoding="utf-8")
    os.replace(fresh, file)
