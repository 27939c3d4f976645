"""``wnis deploy``: another release in the place of the running one, without a request that fails."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from wnis_core.errors import BadRequest, WnisError

from wnis_ops.cli.output import Json, say, show, table
from wnis_ops.place import connect, home_of, own_release

if TYPE_CHECKING:
    from wnis_ops.deploy.deployment import Report


def deploy(
    source: Annotated[
        str | None,
        typer.Argument(help="A checkout that is set up (default: this program's own), or with --ref a git repository."),
    ] = None,
    ref: Annotated[
        str | None, typer.Option(help="Branch, tag or commit to fetch and set up under WNIS_HOME/releases.")
    ] = None,
    backup_to: Annotated[str | None, typer.Option(help="Where the backup goes, as for wnis backup --to.")] = None,
    no_backup: Annotated[bool, typer.Option("--no-backup", help="Make no backup before it.")] = False,
    rollback: Annotated[bool, typer.Option("--rollback", help="Back to the release before.")] = False,
    as_json: Json = False,
) -> None:
    """Upgrade the running instance: backup, set-up, migrations, new services beside the old, checks, switch.

    Whatever fails, everything is taken back and the old release serves on. Migrations only add; they stay.
    """
    from wnis_ops.deploy.deployment import Deployment, Wanted

    if rollback and (source or ref or backup_to or no_backup):
        raise BadRequest("--rollback stands alone.")
    # the instance of this home, whichever server other commands are told to talk to
    own = {name: value for name, value in os.environ.items() if name not in ("WNIS_URL", "WNIS_TOKEN")}
    deployment = Deployment(home_of(own), connect(own), say)
    wanted = Wanted(source or str(own_release()), ref, backup_to, not no_backup)
    try:
        report = deployment.go_back() if rollback else deployment.run(wanted)
    except WnisError:
        _tell(deployment.report, as_json=False)
        raise
    _tell(report, as_json)


def _tell(report: Report, as_json: bool) -> None:
    rows = [(one.name, one.outcome, f"{one.seconds:.1f} s", one.said) for one in report.steps]
    show(asdict(report), as_json, lambda: table(("step", "outcome", "time", ""), rows))
