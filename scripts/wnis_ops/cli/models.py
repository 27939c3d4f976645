"""``wnis models export|import``: trained models as signed files, to keep or for another installation."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from wnis_core.errors import NotFound

from wnis_ops.cli.output import Json, show, table
from wnis_ops.place import home_of

if TYPE_CHECKING:
    from wnis_ml.registry.exchange import Exchanged, ModelExchange

app = typer.Typer(no_args_is_help=True, help="Trained models as signed files.")

Utility = Annotated[str, typer.Option(help="Whose models.")]


@app.command("export", epilog="Example: wnis models export s3://backups/town-models")
def export_models(
    to: Annotated[str, typer.Argument(metavar="PLACE", help="A folder, or s3://bucket/prefix.")],
    utility: Utility = "default",
    as_json: Json = False,
) -> None:
    """Write the current version of every model of the home, or of NEO4J_URI, with a signed list of them."""
    from wnis_core.objects import open_object_store
    from wnis_graph.scope import Scope

    with _exchange() as exchange:
        done = exchange.export_to(Scope(utility, "wnis models"), open_object_store(to))
    _show(done, to, as_json)


@app.command("import", epilog="Example: wnis models import /mnt/town-models --trust 0123456789abcdef")
def import_models(
    source: Annotated[str, typer.Argument(metavar="PLACE", help="What `wnis models export` wrote to.")],
    utility: Utility = "default",
    trust: Annotated[
        list[str] | None, typer.Option(help="Fingerprint of another installation's key; may be given again.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Verify every model of a place, then make them the current ones; the services use them at once."""
    from wnis_core.objects import open_object_store
    from wnis_graph.scope import Scope

    with _exchange() as exchange:
        done = exchange.import_from(Scope(utility, "wnis models"), open_object_store(source), trust or ())
    _show(done, source, as_json)


@contextmanager
def _exchange() -> Iterator[ModelExchange]:
    from wnis_core.objects import open_object_store
    from wnis_graph.repositories.models import ModelRepository
    from wnis_graph.runner import Runner, open_driver
    from wnis_ml.registry.exchange import ModelExchange
    from wnis_ml.registry.model_file import Signer

    from wnis_ops.backup.place import Installation

    here = Installation.of(home_of(os.environ), os.environ)
    if not here.signing_key():
        raise NotFound(
            f"There is no key that signs models in {here.home.path}.",
            mend="Set WNIS_SIGNING_KEY as the ml service has it, or name the right WNIS_HOME.",
        )
    runner = Runner(open_driver(*here.running_graph()))
    try:
        yield ModelExchange(
            ModelRepository(runner), open_object_store(here.settings.object_store), Signer(here.signing_key())
        )
    finally:
        runner.close()


def _show(done: list[Exchanged], place: str, as_json: bool) -> None:
    rows = [(one.name, one.version, one.bytes, one.signer) for one in done]
    show(
        {"place": place, "models": [asdict(one) for one in done]},
        as_json,
        lambda: table(("model", "version", "bytes", "signed by"), rows),
    )
