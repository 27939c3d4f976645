"""Components: one round trip, total orders, changes that are recorded and never lost."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from wnis_core.clock import now
from wnis_core.errors import BadRequest, Conflict, InvalidValue, NotFound, StaleVersion, WnisError
from wnis_graph.queries.components import SORTS
from wnis_graph.repositories.components import ComponentFilter, ComponentRepository, NewComponent
from wnis_graph.repositories.networks import NetworkRepository
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope

from tests.component.graph.samples import SOURCE, grid_network, line_network


@pytest.fixture
def components(runner: Runner) -> ComponentRepository:
    return ComponentRepository(runner)


@pytest.fixture
def grid(runner: Runner, scope: Scope) -> Scope:
    NetworkRepository(runner).persist(scope, "net", grid_network(4), SOURCE, name="Grid")
    return scope


@pytest.fixture
def line(runner: Runner, scope: Scope) -> Scope:
    NetworkRepository(runner).persist(scope, "net", line_network(), SOURCE)
    return scope


def test_a_component_comes_with_its_surroundings(components: ComponentRepository, grid: Scope) -> None:
    page = components.get(grid, "net:junction:J0-0")

    assert (page.component.type, page.network_name, page.component.network) == ("Junction", "Grid", "net")
    assert page.component.zone is not None
    assert page.component.zone.name == "Zone 1"
    assert {(c.id, c.type, c.relationship, c.outgoing) for c in page.connected} == {
        ("net:pipe:P0", "Pipe", "CONNECTED_TO", True),
        ("net:pipe:P12", "Pipe", "CONNECTED_TO", True),
        ("net:pump:PU", "Pump", "CONNECTED_TO", False),
        ("net:valve:V", "Valve", "CONNECTED_TO", True),
    }
    assert page.counts.incidents == 0


def test_an_unknown_component_is_not_found(components: ComponentRepository, scope: Scope) -> None:
    with pytest.raises(NotFound):
        components.get(scope, "nothing")


@pytest.mark.parametrize("sort", [*SORTS, *(f"-{name}" for name in SORTS)])
def test_pages_hold_every_component_once_even_when_sort_values_are_equal(
    components: ComponentRepository, grid: Scope, sort: str
) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        page = components.list(grid, sort=sort, limit=7, cursor=cursor)
        seen += [c.id for c in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert len(seen) == len(set(seen)) == 44
    assert seen == [c.id for c in components.list(grid, sort=sort, limit=1000).rows]


def test_a_page_that_ends_the_list_has_no_cursor(components: ComponentRepository, grid: Scope) -> None:
    assert components.list(grid, limit=44).next_cursor is None
    assert components.list(grid, limit=43).next_cursor is not None


@pytest.mark.parametrize("cursor", ["", "x", "e30", "WyJpZCIsIiIsbnVsbCwxXQ", "💧", "a" * 5000])
def test_a_cursor_that_is_not_ours_is_refused(components: ComponentRepository, scope: Scope, cursor: str) -> None:
    with pytest.raises(BadRequest, match="cursor"):
        components.list(scope, cursor=cursor)


def test_a_cursor_of_another_order_is_refused(components: ComponentRepository, grid: Scope) -> None:
    cursor = components.list(grid, sort="name", limit=1).next_cursor

    with pytest.raises(BadRequest, match="another order"):
        components.list(grid, sort="-name", cursor=cursor)


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        (ComponentFilter(type="Pipe"), 24),
        (ComponentFilter(type="Nothing"), 0),
        (ComponentFilter(status="active"), 19),
        (ComponentFilter(health="unknown"), 44),
        (ComponentFilter(network="net", type="Tank"), 1),
        (ComponentFilter(network="other"), 0),
        (ComponentFilter(zone="net:zone:Zone%201", type="Pump"), 0),
        (ComponentFilter(zone="net:zone:Zone%201", type="Pipe"), 24),
        (ComponentFilter(q="J0-"), 4),
        (ComponentFilter(q="net:pump"), 1),
        (ComponentFilter(q="') MATCH (n) //"), 0),
        (ComponentFilter(q="* OR *:*"), 0),
        (ComponentFilter(bbox=(-180, -90, 180, 90)), 44),
        (ComponentFilter(bbox=(170, 80, 180, 90)), 0),
    ],
)
def test_filters_hold_what_they_say(
    components: ComponentRepository, grid: Scope, wanted: ComponentFilter, number: int
) -> None:
    assert len(components.list(grid, wanted, limit=1000).rows) == number
    assert sum(1 for _ in components.stream(grid, wanted)) == number


def test_wrong_list_parameters_name_their_field(components: ComponentRepository, scope: Scope) -> None:
    for call, field in (
        (lambda: components.list(scope, sort="colour"), "sort"),
        (lambda: components.list(scope, limit=0), "limit"),
        (lambda: components.list(scope, limit=1001), "limit"),
        (lambda: components.list(scope, ComponentFilter(bbox=(5, 0, 1, 1))), "bbox"),
    ):
        with pytest.raises(InvalidValue) as refused:
            call()
        assert refused.value.fields[0].field == field


def test_a_change_is_recorded_with_old_and_new(components: ComponentRepository, line: Scope) -> None:
    page = components.patch(line, "net:pipe:AB", {"material": "pvc", "install_date": date(2001, 2, 3), "tag": None})

    assert page.component.revision == 2
    (change,) = components.history(line, "net:pipe:AB")
    assert change.old == {"material": None, "install_date": None}
    assert change.new == {"material": "pvc", "install_date": date(2001, 2, 3)}
    assert change.recorded_by == "tester"


def test_a_change_that_changes_nothing_leaves_no_trace(components: ComponentRepository, line: Scope) -> None:
    page = components.patch(line, "net:pipe:AB", {"length_m": 10.0})

    assert page.component.revision == 1
    assert components.history(line, "net:pipe:AB") == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": "other"}, "id"),
        ({"utility": "other"}, "utility"),
        ({"revision": 7}, "revision"),
        ({"health": "normal"}, "health"),
        ({"colour": "red"}, "colour"),
        ({"length_m": "long"}, "length_m"),
        ({"length_m": float("nan")}, "length_m"),
        ({"length_m": None}, "length_m"),
        ({"status": "broken"}, "status"),
        ({"name": "x" * 3000}, "name"),
    ],
)
def test_a_wrong_change_is_refused_with_its_field(
    components: ComponentRepository, line: Scope, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidValue) as refused:
        components.patch(line, "net:pipe:AB", changes)

    assert field in {problem.field for problem in refused.value.fields}
    assert components.get(line, "net:pipe:AB").component.revision == 1


def test_of_many_changes_from_one_revision_exactly_one_is_taken(components: ComponentRepository, line: Scope) -> None:
    barrier = threading.Barrier(6)

    def change(n: int) -> str:
        barrier.wait()
        try:
            components.patch(line, "net:pipe:AB", {"material": f"m{n}"}, expected_revision=1)
        except StaleVersion:
            return "stale"
        return f"m{n}"

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(change, range(6)))

    assert outcomes.count("stale") == 5
    (taken,) = (o for o in outcomes if o != "stale")
    assert components.get(line, "net:pipe:AB").component.properties["material"] == taken
    assert len(components.history(line, "net:pipe:AB")) == 1


def test_unconditional_changes_at_once_are_all_recorded(components: ComponentRepository, line: Scope) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: components.patch(line, "net:pipe:AB", {"material": f"m{n}"}), range(6)))

    changes = components.history(line, "net:pipe:AB")
    assert components.get(line, "net:pipe:AB").component.revision == 7
    assert {c.new["material"] for c in changes} == {f"m{n}" for n in range(6)}


def test_retiring_keeps_the_component_and_its_history(components: ComponentRepository, line: Scope) -> None:
    components.retire(line, "net:pipe:CD")
    again = components.retire(line, "net:pipe:CD")

    assert (again.component.status, again.component.revision) == ("retired", 2)
    assert again.component.retired_at is not None
    assert "net:pipe:CD" not in {c.id for c in components.list(line).rows}
    assert "net:pipe:CD" in {c.id for c in components.list(line, ComponentFilter(retired=True)).rows}
    assert [c.id for c in components.list(line, ComponentFilter(status="retired")).rows] == ["net:pipe:CD"]


def test_the_status_retired_retires_and_another_one_brings_back(components: ComponentRepository, line: Scope) -> None:
    components.patch(line, "net:pipe:CD", {"status": "retired"})
    assert components.get(line, "net:pipe:CD").component.retired_at is not None
    assert "net:pipe:CD" not in {c.id for c in components.list(line).rows}

    components.patch(line, "net:pipe:CD", {"status": "open", "material": "pvc"})
    back = components.get(line, "net:pipe:CD").component
    assert (back.status, back.retired_at, back.properties["material"]) == ("open", None, "pvc")
    assert [change.action for change in components.history(line, "net:pipe:CD")] == ["restore", "retire"]


def test_the_past_is_read_from_the_revisions(components: ComponentRepository, line: Scope) -> None:
    start = now()
    components.patch(line, "net:pipe:AB", {"material": "pvc"})
    between = now()
    components.patch(line, "net:pipe:AB", {"material": "steel", "diameter_m": 0.4})
    components.retire(line, "net:pipe:AB")

    first = components.get_as_of(line, "net:pipe:AB", start)
    second = components.get_as_of(line, "net:pipe:AB", between)
    assert ("material" in first.properties, first.properties["diameter_m"], first.revision) == (False, 0.1, 1)
    assert (second.properties["material"], second.status, second.revision) == ("pvc", "open", 2)
    assert second.retired_at is None
    with pytest.raises(NotFound):
        components.get_as_of(line, "net:pipe:AB", datetime(2000, 1, 1, tzinfo=UTC))


def test_a_component_without_a_network_joins_the_default_one(components: ComponentRepository, scope: Scope) -> None:
    page = components.create(
        scope, NewComponent("VLV002", "Valve", properties={"valve_kind": "butterfly", "diameter_m": 0.2})
    )

    assert (page.component.network, page.component.status, page.component.name) == ("default", "open", "VLV002")
    assert [c.action for c in components.history(scope, "VLV002")] == ["create"]
    with pytest.raises(Conflict):
        components.create(scope, NewComponent("VLV002", "Valve", properties={"valve_kind": "gate", "diameter_m": 0.2}))


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (NewComponent("a b", "Pipe"), "id"),
        (NewComponent("x", "Canal"), "type"),
        (NewComponent("x", "Pipe", properties={"length_m": 1.0}), "diameter_m"),
        (NewComponent("x", "Hydrant", network="nowhere"), "network"),
        (NewComponent("x", "Hydrant", network="net", start="nobody"), "start"),
        (NewComponent("x", "Hydrant", network="net", zone="nozone"), "zone"),
    ],
)
def test_a_wrong_component_is_refused_and_nothing_is_made(
    components: ComponentRepository, line: Scope, new: NewComponent, field: str
) -> None:
    with pytest.raises(InvalidValue) as refused:
        components.create(line, new)

    assert field in {problem.field for problem in refused.value.fields}
    with pytest.raises(WnisError):
        components.get(line, new.id)


def test_a_name_finds_its_ids(components: ComponentRepository, line: Scope) -> None:
    components.create(line, NewComponent("second", "Hydrant", name="AB", network="net"))

    assert components.ids_by_name(line, "AB") == ["net:pipe:AB", "second"]
    assert components.ids_by_name(line, "nobody") == []
