"""Components: list, read, change, and the ways from one to others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel
from wnis_core.errors import BadRequest
from wnis_graph.placement import display_of
from wnis_graph.queries.components import LatestSummary
from wnis_graph.repositories.components import Component, ComponentFilter, ComponentPage
from wnis_graph.repositories.components import NewComponent as Added
from wnis_graph.repositories.topology import Direction, Reached
from wnis_graph.scope import Scope

from wnis_api.http.component_input import bounding_box, component_type, stated_properties
from wnis_api.http.route import Call, Nothing, Reply, Role, Route, roles
from wnis_api.http.schemas.components import (
    PROPERTIES,
    AsOfQuery,
    ChangeAnswer,
    ComponentAnswer,
    ComponentChange,
    ComponentListed,
    ComponentQuery,
    Components,
    ConnectedAnswer,
    Counts,
    Feed,
    History,
    IrredundantAnswer,
    LatestResult,
    LocationAnswer,
    NeighbourAnswer,
    NeighbourQuery,
    Neighbours,
    NewComponent,
    Redundancy,
    RedundancyQuery,
    RouteAnswer,
    RunUsedAnswer,
    SharesAnswer,
    SourceAnswer,
    Trace,
    TraceQuery,
    ZoneRef,
)
from wnis_api.http.streams import CSV, GEOJSON, csv_stream, geojson_stream, geometry, started
from wnis_api.parts import Parts

_COLUMNS = ("id", "type", "name", "status", "health", "network", "zone", "retired_at")


def _common(c: Component) -> dict[str, Any]:
    return {
        "id": c.id,
        "type": c.type,
        "name": c.name,
        "status": c.status,
        "health": c.health,
        "network": c.network,
        "zone": ZoneRef.model_construct(id=c.zone.id, name=c.zone.name, kind=c.zone.kind) if c.zone else None,
        "location": LocationAnswer.model_construct(x=c.location.x, y=c.location.y, srid=c.location.srid)
        if c.location
        else None,
        "retired_at": c.retired_at,
        "properties": dict(c.properties),
    }


def _answer(page: ComponentPage, **more: Any) -> Reply:
    # our own dataclasses are right by construction: building the answer without validation halves its cost
    answer = ComponentAnswer.model_construct(
        **_common(page.component),
        revision=page.component.revision,
        network_name=page.network_name,
        connected_components=[
            ConnectedAnswer.model_construct(
                id=c.id, type=c.type, name=c.name, relationship=c.relationship, outgoing=c.outgoing
            )
            for c in page.connected
        ],
        counts=Counts.model_validate(page.counts),
        latest_simulation=_summary(page.latest_summary),
        **more,
    )
    return Reply(answer, revision=page.component.revision, subject=page.component.id)


def _summary(latest: LatestSummary | None) -> LatestResult | None:
    if latest is None:
        return None
    return LatestResult(run_id=latest.run_id, finished_at=latest.finished_at, summary=dict(latest.numbers))


def list_components(parts: Parts, call: Call[ComponentQuery, None]) -> Reply | BaseModel:
    asked = call.query
    wanted = ComponentFilter(
        type=asked.type,
        zone=asked.zone,
        status=asked.status,
        health=asked.health,
        network=asked.network,
        material=asked.material,
        q=asked.q,
        bbox=bounding_box(asked.bbox) if asked.bbox else None,
    )
    if asked.format == "csv":
        rows = (_row(c) for c in parts.components.stream(call.scope, wanted))
        return Reply(
            started(csv_stream((*_COLUMNS, *(p for p in PROPERTIES if p not in _COLUMNS)), rows)), media_type=CSV
        )
    if asked.format == "geojson":
        features = _features(parts, call.scope, parts.components.stream(call.scope, wanted))
        return Reply(started(geojson_stream(features)), media_type=GEOJSON)
    page = parts.components.list(call.scope, wanted, sort=asked.sort, limit=asked.limit, cursor=asked.cursor)
    return Components.model_construct(
        components=[ComponentListed.model_construct(**_common(c)) for c in page.rows], next_cursor=page.next_cursor
    )


def _row(c: Component) -> dict[str, Any]:
    zone = c.zone.id if c.zone else None
    return dict(c.properties) | {name: getattr(c, name) for name in _COLUMNS} | {"zone": zone}


def _features(parts: Parts, scope: Scope, components: Iterator[Component]) -> Iterator[dict[str, Any]]:
    displays = {network.id: display_of(network.plane) for network in parts.networks.list(scope)}
    for c in components:
        place = (c.location.x, c.location.y) if c.location else None
        properties = dict(c.properties) | {name: getattr(c, name) for name in _COLUMNS}
        yield {
            "type": "Feature",
            "id": c.id,
            "geometry": geometry(place, c.shape, displays[c.network]),
            "properties": properties | {"zone": c.zone.id if c.zone else None},
        }


def add_component(parts: Parts, call: Call[Nothing, Any]) -> Reply:
    asked = call.body
    page = parts.components.create(
        call.scope,
        Added(
            id=asked.id,
            type=component_type(asked.type),
            name=asked.name,
            network=asked.network,
            zone=asked.zone,
            start=asked.start,
            end=asked.end,
            properties=stated_properties(asked),
            located_on=(seat.pipe, seat.near, seat.offset_m) if (seat := asked.located_on) else None,
        ),
    )
    parts.segments.edited(call.scope, page.component.network)
    reply = _answer(page)
    return Reply(reply.body, status=201, revision=reply.revision, subject=reply.subject)


def show_component(parts: Parts, call: Call[AsOfQuery, None]) -> Reply:
    page = parts.components.get(call.scope, call.id())
    if call.query.as_of is None:
        return _answer(page)
    past = parts.components.get_as_of(call.scope, page.component.id, call.query.as_of)
    was = ComponentPage(past, page.connected, page.network_name, page.counts)
    return Reply(_answer(was, as_of=call.query.as_of).body)


def change_component(parts: Parts, call: Call[Nothing, Any]) -> Reply:
    changes = stated_properties(call.body)
    if "name" in call.body.model_fields_set:
        changes["name"] = call.body.name
    if not changes:
        raise BadRequest("The body names nothing to change.", mend="Give at least one property.")
    revision = _checked_revision(parts, call)
    page = parts.components.patch(call.scope, call.id(), changes, expected_revision=revision)
    parts.segments.edited(call.scope, page.component.network)
    return _answer(page)


def retire_component(parts: Parts, call: Call[Nothing, None]) -> Reply:
    revision = _checked_revision(parts, call)
    page = parts.components.retire(call.scope, call.id(), expected_revision=revision)
    parts.segments.edited(call.scope, page.component.network)
    return _answer(page)


def _checked_revision(parts: Parts, call: Call[Any, Any]) -> int | None:
    """The revision that ``If-Match`` was found to name; the write checks it again under its lock."""
    if call.if_match is None:
        return None
    revision = parts.components.get(call.scope, call.id()).component.revision
    call.require_version(revision)
    return revision


def show_neighbours(parts: Parts, call: Call[NeighbourQuery, None]) -> Neighbours:
    found = parts.topology.neighbours(call.scope, call.id(), call.query.hops)
    return Neighbours(neighbours=[_reached(one) for one in found])


def show_trace(parts: Parts, call: Call[TraceQuery, None]) -> Trace:
    def flows_at(run_id: str, time_s: int) -> tuple[int, dict[str, float]]:
        path = f"/simulations/{quote(run_id, safe='')}/flows"
        at = parts.simulator.call(call.internal, "GET", path, params={"time_s": str(time_s)}, timeout_s=15)
        return at["time_s"], at["flows"]

    asked = call.query
    found = parts.topology.trace(
        call.scope, call.id(), Direction(asked.direction), time_s=asked.time_s, flows_at=flows_at
    )
    return Trace.model_construct(
        direction=found.direction,
        method=found.method,
        run_id=found.run.id if found.run else None,
        run=RunUsedAnswer.model_validate(found.run) if found.run else None,
        revision=found.revision,
        trace=[_reached(one) for one in found.reached],
    )


def show_feed(parts: Parts, call: Call[Nothing, None]) -> Feed:
    found = parts.topology.feed(call.scope, call.id())
    return Feed(
        method=found.method,
        run=RunUsedAnswer.model_validate(found.run) if found.run else None,
        sources=[
            SourceAnswer(
                **one.component._asdict(),
                hops=one.hops,
                share=one.shares.share if one.shares else None,
                share_min=one.shares.share_min if one.shares else None,
                share_max=one.shares.share_max if one.shares else None,
            )
            for one in found.sources
        ],
        shares=SharesAnswer.model_validate(found.shares) if found.shares else None,
        route=RouteAnswer.model_validate(found.route) if found.route else None,
    )


def show_redundancy(parts: Parts, call: Call[RedundancyQuery, None]) -> Redundancy:
    revision, found = parts.topology.irredundant(call.scope, call.id())
    return Redundancy(
        revision=revision,
        total=len(found),
        components=[IrredundantAnswer.model_validate(one) for one in found[: call.query.top]],
    )


def _reached(one: Reached) -> NeighbourAnswer:
    c = one.component
    return NeighbourAnswer.model_construct(
        id=c.id, type=c.type, name=c.name, status=c.status, health=c.health, hops=one.hops
    )


def show_history(parts: Parts, call: Call[Nothing, None]) -> History:
    changes = parts.components.history(call.scope, call.id())
    return History(history=[ChangeAnswer.model_validate(change) for change in changes])


_TAG = "components"
_EDITORS = roles(Role.ENGINEER)

ROUTES: tuple[Route, ...] = (
    Route("GET", "/components", list_components, "List components", _TAG, query=ComponentQuery, answer=Components,
          media_types=("text/csv", GEOJSON),
          description="Filters are combined. `format=csv` and `format=geojson` stream everything that the filters "
          "let through, without pages."),
    Route("POST", "/components", add_component, "Add a component", _TAG, _EDITORS, body=NewComponent,
          answer=ComponentAnswer, status=201, errors=(409,), action="component.add", repeatable=True,
          description="Takes our property names, and short ones that people write by hand: a bare `diameter` is in "
          "millimetres, `length` in metres, `valveType` and `status` in any case. The answer uses canonical names. "
          "Without `network` it joins the utility's default network."),
    Route("GET", "/components/{id}", show_component, "One component", _TAG, query=AsOfQuery, answer=ComponentAnswer,
          errors=(304,), description="With `as_of` its own properties are as they were recorded at that moment."),
    Route("PATCH", "/components/{id}", change_component, "Change a component", _TAG, _EDITORS, body=ComponentChange,
          answer=ComponentAnswer, errors=(412,), action="component.change",
          description="null removes a property. With `If-Match` it is refused when somebody else was faster."),
    Route("DELETE", "/components/{id}", retire_component, "Retire a component", _TAG, _EDITORS,
          answer=ComponentAnswer, errors=(412,), action="component.retire",
          description="It leaves the network; its history stays. Again changes nothing."),
    Route("GET", "/components/{id}/neighbours", show_neighbours, "Components within reach", _TAG,
          query=NeighbourQuery, answer=Neighbours,
          description="A hop is one joint: from a junction to its pipe is one, to the next junction two."),
    Route("GET", "/components/{id}/trace", show_trace, "Where the water comes from or goes to", _TAG,
          query=TraceQuery, answer=Trace, errors=(409,),
          description="By the flows of the network's last run (`method: run`), of its whole period or at `time_s`; "
          "`run.stale` says that the network has been changed since. Without a run by distance from the sources "
          "(`method: topology`)."),
    Route("GET", "/components/{id}/sources", show_feed, "The sources that feed a component", _TAG, answer=Feed,
          description="Reservoirs and tanks upstream by the flows of the last run, else by distance, and the shortest "
          "open way from any source. With the share of each when the network's sources have been traced (`POST "
          "/simulations` with kind `source-trace`); `shares.run.stale` says that the network has been changed since."),
    Route("GET", "/networks/{id}/redundancy", show_redundancy, "Components without redundancy", "networks",
          query=RedundancyQuery, answer=Redundancy,
          description="Bridges (links) and articulation points (nodes): what cuts others off from every source when "
          "it fails, those with most customers behind first."),
    Route("GET", "/components/{id}/history", show_history, "Changes of a component", _TAG, answer=History),
)  # fmt: skip
