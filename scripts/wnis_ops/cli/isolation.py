"""``wnis isolate``, ``wnis trace`` and ``wnis network valves``: connectivity questions."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer
from wnis_core.errors import BadRequest

from wnis_ops.cli.components import component_id
from wnis_ops.cli.output import Json, server, show, table
from wnis_ops.client import part

Network = Annotated[str, typer.Argument(help="Id of the network.")]
Component = Annotated[str, typer.Argument(help="Id, or name in the source where it is unambiguous.")]


class Direction(StrEnum):
    """Against the water, with it, or to where it comes from."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"
    SOURCES = "sources"


def isolate(
    network: Network,
    component: Component,
    offset: Annotated[float | None, typer.Option(help="Place on a pipe, in metres from its start node.", min=0)] = None,
    inoperable: Annotated[
        list[str] | None, typer.Option(help="A valve that cannot be closed; may be given several times.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Which valves to close for a break, and who is without water then."""
    client = server()
    body: dict[str, Any] = {
        "component_id": component_id(client, component, network),
        "inoperable_valves": [component_id(client, valve, network) for valve in inoperable or ()],
    }
    if offset is not None:
        body["offset_m"] = offset
    answer = client.post(f"/networks/{part(network)}/isolation", body)
    show(answer, as_json, lambda: "\n".join(_words(answer)))


def _words(answer: dict[str, Any]) -> Iterator[str]:
    if answer["valve_details"]:
        yield "Close, the nearest to the break first:"
    for number, valve in enumerate(answer["valve_details"], start=1):
        place = f", on {valve['pipe']} {valve['offset_m']:.1f} m from {valve['near']}" if valve["pipe"] else ""
        name = f" ({valve['name']})" if valve["name"] != valve["id"] else ""
        yield f"  {number}. {valve['id']}{name}: {valve['distance_m']:.0f} m along the pipes{place}"
    if not answer["valve_details"]:
        yield "No valve is to be closed."
    for name, said in (
        ("already_closed", "Closed already: {}"),
        ("sources_inside", "No valve parts these sources from the break; shut them themselves: {}"),
    ):
        if answer[name]:
            yield said.format(", ".join(answer[name]))
    yield (
        f"Shut off: {len(answer['segment']['components'])} components; without a source besides: "
        f"{len(answer['unintended'])}"
        + (f", {len(answer['without_source_before'])} of them already" if answer["without_source_before"] else "")
    )
    yield f"Without water: {answer['customers']} customers, {answer['demand_m3s'] * 1000:.2f} L/s"
    if answer["critical_customers"]:
        yield "Critical customers without water: " + ", ".join(answer["critical_customers"])
    for tank in answer["tanks"]:
        lasts = "nobody takes its water" if tank["lasts_s"] is None else f"lasts {tank['lasts_s'] / 3600:.1f} h"
        yield f"Tank {tank['id']} supplies its part alone: {lasts}"
    if worst := answer["worst_valve"]:
        yield f"If {worst['id']} could not be closed: {worst['added_customers']} customers more"
    demands = answer["demands"]
    if demands["run_id"] is None:
        yield "Demands are the base demands of the model: the network has not been run."
    elif demands["stale"]:
        yield f"Demands are of {demands['run_id']}, which is older than the network."


def trace(
    network: Network,
    component: Component,
    direction: Annotated[Direction, typer.Argument(help="upstream, downstream, or sources")],
    time_s: Annotated[
        int | None,
        typer.Option("--time", help="Time of the last run in seconds; its whole period unless given.", min=0),
    ] = None,
    as_json: Json = False,
) -> None:
    """Where the water comes from or goes to."""
    client = server()
    identifier = component_id(client, component, network)
    if direction is Direction.SOURCES:
        if time_s is not None:
            raise BadRequest("--time goes with upstream and downstream.", mend="Leave it out.")
        feed = client.get(f"/components/{part(identifier)}/sources")
        show(feed, as_json, lambda: _sources(feed, identifier))
        return
    asked: dict[str, Any] = {"direction": str(direction)}
    if time_s is not None:
        asked["time_s"] = time_s
    answer = client.get(f"/components/{part(identifier)}/trace", **asked)

    def words() -> Any:
        run = answer["run"]
        how = "by distance from the sources (the network has not been run)"
        if run is not None:
            when = "over its whole period" if run["time_s"] is None else f"at {run['time_s']} s"
            how = f"by the flows of {run['id']} {when}" + (", which is older than the network" if run["stale"] else "")
        made = table(
            ("hops", "id", "type", "status", "health"),
            ((one["hops"], one["id"], one["type"], one["status"], one["health"]) for one in answer["trace"]),
        )
        made.title = f"{len(answer['trace'])} components {direction} of {identifier}, {how}"
        return made

    show(answer, as_json, words)


def _sources(feed: dict[str, Any], identifier: str) -> Any:
    def percent(share: float | None) -> str:
        return "" if share is None else f"{share:.1%}"

    made = table(
        ("id", "type", "hops", "share", "least", "greatest"),
        (
            (one["id"], one["type"], one["hops"], *(percent(one[n]) for n in ("share", "share_min", "share_max")))
            for one in feed["sources"]
        ),
    )
    shares = feed["shares"]
    if shares is None:
        how = "shares are not known: run wnis simulate --kind source-trace"
    elif shares["initial"] is None:
        how = f"the component was not in {shares['run']['id']}, which traced the sources"
    else:
        hours = shares["duration_s"] / 3600
        stale = ", which is older than the network" if shares["run"]["stale"] else ""
        how = f"{shares['initial']:.1%} was there {hours:g} h before, by {shares['run']['id']}{stale}"
    made.title = f"Sources of {identifier}; {how}"
    return made


def valves(
    network: Network,
    closure_h: Annotated[float, typer.Option(help="Hours that a closure lasts.")] = 8.0,
    top: Annotated[int, typer.Option(help="How many valves.", min=1)] = 20,
    as_json: Json = False,
) -> None:
    """Isolation valves, those to maintain first."""
    answer = server().get(f"/networks/{part(network)}/valves/exercise", closure_h=closure_h, top=top)
    show(
        answer,
        as_json,
        lambda: table(
            ("valve", "customer-hours a year", "closures a year", "customers added at worst", "in segment"),
            (
                (v["id"], f"{v['customer_hours']:.2f}", f"{v['closures']:.3f}", v["worst_added_customers"],
                 v["worst_segment"])
                for v in answer["valves"]
            ),
        ),
    )  # fmt: skip
