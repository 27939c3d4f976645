"""Hydrants and sensors of a register, and how a network is drawn for registers."""

from __future__ import annotations

import pytest
from wnis_core.errors import NotFound
from wnis_graph.repositories.components import ComponentRepository
from wnis_graph.repositories.device_register import DeviceRegister, NewDevice
from wnis_graph.repositories.maps import MapRepository
from wnis_graph.repositories.networks import NetworkRepository
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope

from tests.component.graph.samples import SOURCE, line_network

HYDRANT = NewDevice("H1", "Hydrant", "Mill Lane", {"x": 12.0, "y": 3.0, "source_id": "4711"})


@pytest.fixture
def net(runner: Runner, scope: Scope) -> Scope:
    NetworkRepository(runner).persist(scope, "net", line_network(), SOURCE)
    return scope


def test_devices_are_made_changed_and_left_by_id_each_with_its_revision(runner: Runner, net: Scope) -> None:
    register, components = DeviceRegister(runner), ComponentRepository(runner)
    report = register.put(net, "net", [HYDRANT, NewDevice("S1", "Sensor", properties={"quantity": "pressure"})])
    assert (report.created, report.updated, report.unchanged, report.rejected) == (2, 0, 0, ())
    hydrant = components.get(net, "H1")
    assert (hydrant.component.type, hydrant.component.name, hydrant.component.status) == (
        "Hydrant", "Mill Lane", "active",
    )  # fmt: skip
    assert hydrant.component.location is not None
    assert (hydrant.component.location.x, hydrant.component.location.y) == (12.0, 3.0)
    assert [c.action for c in components.history(net, "H1")] == ["create"]

    again = register.put(net, "net", [HYDRANT])
    assert (again.created, again.updated, again.unchanged) == (0, 0, 1)
    moved = register.put(net, "net", [NewDevice("H1", "Hydrant", properties={"x": 13.0, "y": 3.0})])
    assert (moved.created, moved.updated) == (0, 1)
    after = components.get(net, "H1").component
    assert (after.name, after.revision, after.location.x if after.location else None) == ("Mill Lane", 2, 13.0)
    assert [c.action for c in components.history(net, "H1")] == ["update", "create"]


def test_a_wrong_row_is_reported_and_the_others_are_taken(runner: Runner, net: Scope) -> None:
    rows = [
        NewDevice("net:pipe:AB", "Hydrant"),
        NewDevice("P9", "Pipe"),
        NewDevice("H2", "Hydrant", properties={"x": 1.0}),
        NewDevice("H3", "Hydrant", properties={"health": "good"}),
        NewDevice("H4", "Hydrant", properties={"quantity": "pressure"}),
        HYDRANT,
        HYDRANT,
    ]
    report = DeviceRegister(runner).put(net, "net", rows)
    assert report.created == 1
    assert [(r.row, r.errors[0].field) for r in report.rejected] == [
        (1, "id"), (2, "type"), (3, "y"), (4, "health"), (5, "quantity"), (7, "id"),
    ]  # fmt: skip
    with pytest.raises(NotFound):
        DeviceRegister(runner).put(net, "nowhere", [HYDRANT])


def test_a_network_is_drawn_with_ends_and_lengths(runner: Runner, net: Scope) -> None:
    DeviceRegister(runner).put(net, "net", [HYDRANT])
    network, drawn = MapRepository(runner).drawn(net, "net")
    by_id = {one.id: one for one in drawn}
    pipe = by_id["net:pipe:AB"]
    assert network.crs is None
    assert (pipe.type, pipe.name, pipe.start, pipe.end) == ("Pipe", "AB", "net:junction:A", "net:junction:B")
    assert pipe.length_m == 10.0
    assert by_id["net:junction:A"].shape == pipe.shape[:2]
    assert (by_id["H1"].shape, by_id["H1"].source_id, by_id["H1"].start) == ((12.0, 3.0), "4711", None)
    with pytest.raises(NotFound):
        MapRepository(runner).drawn(net, "nowhere")
