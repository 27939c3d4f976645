"""How commands speak: one JSON document or words on standard output, progress and errors on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from wnis_core.errors import BadRequest, Conflict, InvalidValue, NotFound, WnisError
from wnis_core.problem import problem_document

from wnis_ops.client import ApiClient
from wnis_ops.place import connect

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Print the job instead of waiting for it.")]

_SPOKEN = Console(stderr=True)
_ANSWER = Console()
_BAD_INPUT = (BadRequest, InvalidValue, NotFound, Conflict)


def say(text: str) -> None:
    """A remark for the person, on standard error."""
    _SPOKEN.print(text, markup=False, highlight=False, soft_wrap=True)


def show(document: Any, as_json: bool, words: Callable[[], Any]) -> None:
    """The answer of a command: `document` as JSON, else what `words` makes of it."""
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=False, default=str) + "\n")
    else:
        said = words()
        # a sentence or a command that is to be copied is not broken into lines
        _ANSWER.print(said, markup=False, highlight=False, soft_wrap=isinstance(said, str))


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Rows under a header."""
    made = Table(*header)
    for row in rows:
        made.add_row(*("" if cell is None else str(cell) for cell in row))
    return made


def server() -> ApiClient:
    """The server of this command."""
    return connect(os.environ)


def follow(client: ApiClient, accepted: dict[str, Any], title: str, *, no_wait: bool) -> dict[str, Any]:
    """The finished job of an accepted request, with a progress bar; with `no_wait` the job as it is now."""
    job_id = str(accepted["job_id"])
    if no_wait:
        job: dict[str, Any] = client.get(f"/jobs/{job_id}")
        return job
    with bar(title) as report:
        return client.wait(job_id, report)


class bar:  # noqa: N801  # reads as a word in `with bar("...")`
    """A progress bar on standard error."""

    def __init__(self, title: str) -> None:
        self._progress = Progress(
            TextColumn(title), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=_SPOKEN
        )
        self._task = self._progress.add_task("", total=1.0)

    def __enter__(self) -> Callable[[float, str], None]:
        self._progress.start()
        return self.report

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def report(self, fraction: float, message: str) -> None:
        """How far it is, 0 to 1, and what it does."""
        self._progress.update(self._task, completed=fraction, description=message)


def run(app: Callable[[], Any], argv: Sequence[str]) -> int:
    """Run the command line; returns 0 done, 2 bad input or usage, 1 failure."""
    try:
        app()
    except WnisError as error:
        if "--json" in argv:
            sys.stdout.write(json.dumps(problem_document(error, "")) + "\n")
        say(f"Error: {error.message}")
        for problem in error.fields:
            say(f"  {problem.field}: {problem.message}")
        if error.mend:
            say(error.mend)
        return 2 if isinstance(error, _BAD_INPUT) else 1
    except KeyboardInterrupt:
        say("Interrupted.")
        return 1
    except BrokenPipeError:
        return 1
    return 0
