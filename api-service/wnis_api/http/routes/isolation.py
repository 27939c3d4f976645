"""Isolation of a break, segments, and the valves to maintain first."""

from __future__ import annotations

from typing import Any

from wnis_core.errors import NotFound

from wnis_api.http.route import Call, Nothing, Route
from wnis_api.http.schemas.common import PageQuery, decode_cursor, encode_cursor
from wnis_api.http.schemas.isolation import (
    DemandsAnswer,
    IsolationAnswer,
    IsolationQuestion,
    SegmentAnswer,
    SegmentMembers,
    SegmentRef,
    Segments,
    TankAnswer,
    ValveExercise,
    ValveExerciseAnswer,
    ValveExerciseQuery,
    ValveStep,
    WorstValveAnswer,
)
from wnis_api.parts import Parts

_YEAR_DAYS = 365.0


def isolate(parts: Parts, call: Call[Nothing, IsolationQuestion]) -> IsolationAnswer:
    asked = call.body
    found = parts.isolation.isolate(
        call.scope, call.id(), asked.component_id, asked.offset_m, frozenset(asked.inoperable_valves)
    )
    one = found.isolation
    ids = [segment.id for segment in one.segments]
    # our own dataclasses are right by construction: the lists of a large network need no second look
    return IsolationAnswer.model_construct(
        network_id=call.id(),
        revision=found.revision,
        component_id=one.component,
        offset_m=one.offset_m,
        valves=[valve.id for valve in one.valves],
        valve_details=[ValveStep.model_validate(valve) for valve in one.valves],
        already_closed=list(one.already_closed),
        inoperable_valves=list(one.inoperable),
        segment=SegmentRef.model_construct(id=ids[0] if ids else "", ids=ids, components=list(one.components)),
        sources_inside=list(one.sources_inside),
        isolated=list(one.isolated),
        unintended=list(one.unintended),
        without_source_before=list(one.without_source_before),
        tanks=[TankAnswer.model_validate(tank) for tank in one.tanks],
        customers=one.without.customers,
        demand_m3s=one.without.demand_m3s,
        critical_customers=list(one.without.critical),
        worst_valve=WorstValveAnswer.model_validate(one.worst) if one.worst else None,
        demands=DemandsAnswer.model_validate(found.demands),
    )


def list_segments(parts: Parts, call: Call[PageQuery, None]) -> Segments:
    after = decode_cursor(call.query.cursor, str)
    found = [s for s in parts.isolation.segments(call.scope, call.id()) if after is None or s.id > after[0]]
    shown = found[: call.query.limit]
    more = encode_cursor(shown[-1].id) if len(found) > len(shown) else None
    return Segments(segments=[SegmentAnswer.model_validate(s) for s in shown], next_cursor=more)


def show_segment(parts: Parts, call: Call[Nothing, None]) -> SegmentMembers:
    wanted = call.id("segment")
    for kept in parts.isolation.segments(call.scope, call.id()):
        if kept.id == wanted:
            members = parts.isolation.segment_components(call.scope, call.id()).get(wanted, ())
            fields: dict[str, Any] = SegmentAnswer.model_validate(kept).model_dump()
            return SegmentMembers(**fields, members=list(members))
    raise NotFound(f"There is no segment {wanted!r}.", mend="It may have changed with the network: list them again.")


def rank_valves(parts: Parts, call: Call[ValveExerciseQuery, None]) -> ValveExercise:
    asked, network = call.query, parts.networks.head(call.scope, call.id())
    believed = parts.predictions.list_latest(call.scope, _YEAR_DAYS, network=network.id)
    ranking = parts.isolation.valve_values(
        call.scope,
        network.id,
        {one.prediction.component_id: one.answer.probability for one in believed},
        asked.closure_h,
    )
    return ValveExercise(
        network_id=network.id,
        revision=ranking.revision,
        closure_h=asked.closure_h,
        predicted_components=ranking.predicted,
        total=len(ranking.valves),
        valves=[ValveExerciseAnswer.model_validate(valve) for valve in ranking.valves[: asked.top]],
    )


_TAG = "isolation"

ROUTES: tuple[Route, ...] = (
    Route("POST", "/networks/{id}/isolation", isolate, "What to close for a break", _TAG, body=IsolationQuestion,
          answer=IsolationAnswer, reading=True,
          description="The segment of a pipe, node or point, the valves that bound it, and everything that is without "
          "a source once they are closed. Segments depend on isolation valves alone; sources are then followed through "
          "what is open, pumps, check valves and pressure valves in their direction."),
    Route("GET", "/networks/{id}/segments", list_segments, "Segments of a network", _TAG, query=PageQuery,
          answer=Segments),
    Route("GET", "/networks/{id}/segments/{segment}", show_segment, "One segment with its components", _TAG,
          answer=SegmentMembers),
    Route("GET", "/networks/{id}/valves/exercise", rank_valves, "Which isolation valves to maintain first", _TAG,
          query=ValveExerciseQuery, answer=ValveExercise,
          description="For every isolation valve the customer-hours that its being inoperable would add in a year: "
          "over the segments it bounds, added customers times hours of a closure times expected failures, by the "
          "failure predictions where there are any."),
)  # fmt: skip
