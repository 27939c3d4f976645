"""Import of networks: atomic, repeatable, and careful with what people know better."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import neo4j
import pytest
from wnis_core.errors import Conflict, InvalidModel, InvalidValue, NotFound, TooLarge
from wnis_graph.desired import own_names
from wnis_graph.mini import MINI, MINI_ID, MINI_NAME
from wnis_graph.network_model import JunctionModel, NetworkModel, PipeModel
from wnis_graph.repositories.components import ComponentFilter, ComponentRepository, NewComponent
from wnis_graph.repositories.networks import NetworkRepository, SourceFile
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope

from tests.component.graph.samples import SOURCE, grid_network, line_network
from tests.component.graph.twin import portrait


@pytest.fixture
def networks(runner: Runner) -> NetworkRepository:
    return NetworkRepository(runner)


@pytest.fixture
def components(runner: Runner) -> ComponentRepository:
    return ComponentRepository(runner)


def whole(driver: neo4j.Driver, scope: Scope) -> list[str]:
    """Everything of the utility, to compare before and after."""
    with driver.session() as session, session.begin_transaction() as tx:
        return portrait(tx, scope.utility)


def test_import_makes_every_component_joint_and_zone(networks: NetworkRepository, scope: Scope) -> None:
    summary = networks.persist(scope, "net", grid_network(4), SOURCE, name="Grid")

    assert (summary.created, summary.updated, summary.removed, summary.revision) == (44, 0, 0, 1)
    network = networks.get(scope, "net")
    assert network.counts == {"Junction": 16, "Reservoir": 1, "Tank": 1, "Pipe": 24, "Pump": 1, "Valve": 1}
    assert (network.name, network.source_sha256, network.flow_unit) == ("Grid", SOURCE.sha256, "LPS")
    assert [(z.name, z.kind, z.components) for z in networks.zones(scope, "net")] == [("Zone 1", "pressure", 40)]


def test_the_model_read_back_is_the_model_imported(networks: NetworkRepository, scope: Scope) -> None:
    model = grid_network(3)
    networks.persist(scope, "net", model, SOURCE)

    again = networks.load_model(scope, "net")

    for kind in ("junctions", "reservoirs", "tanks", "pipes", "pumps", "valves"):
        assert set(getattr(again, kind)) == set(getattr(model, kind))
    assert [(z.name, set(z.members)) for z in again.zones] == [(z.name, set(z.members)) for z in model.zones]
    assert (again.title, again.flow_unit, again.duration_s) == (model.title, model.flow_unit, model.duration_s)


def test_importing_again_changes_nothing(networks: NetworkRepository, driver: neo4j.Driver, scope: Scope) -> None:
    networks.persist(scope, "net", grid_network(4), SOURCE)
    before = whole(driver, scope)

    summary = networks.persist(scope, "net", grid_network(4), SOURCE)

    assert (summary.created, summary.updated, summary.removed, summary.unchanged, summary.revision) == (0, 0, 0, 44, 1)
    assert whole(driver, scope) == before


def test_two_imports_at_once_make_one_network(networks: NetworkRepository, scope: Scope) -> None:
    with ThreadPoolExecutor(2) as pool:
        summaries = list(pool.map(lambda _: networks.persist(scope, "net", grid_network(5), SOURCE), range(2)))

    assert sorted(s.created for s in summaries) == [0, 69]
    assert sum(networks.get(scope, "net").counts.values()) == 69


def test_what_left_the_file_is_retired_and_comes_back_restored(
    networks: NetworkRepository, components: ComponentRepository, scope: Scope
) -> None:
    model = line_network()
    shorter = replace(model, junctions=model.junctions[:-1], pipes=model.pipes[:-1])
    networks.persist(scope, "net", model, SOURCE)

    gone = networks.persist(scope, "net", shorter, SOURCE)

    assert (gone.removed, gone.revision) == (2, 2)
    retired = components.get(scope, "net:pipe:CD").component
    assert (retired.status, retired.retired_at is not None) == ("retired", True)
    assert "net:pipe:CD" not in {c.id for c in components.stream(scope)}
    assert "net:pipe:CD" not in {c.id for c in components.get(scope, "net:junction:C").connected}

    networks.persist(scope, "net", model, SOURCE)

    back = components.get(scope, "net:pipe:CD")
    assert (back.component.status, back.component.retired_at) == ("open", None)
    assert {c.id for c in back.connected} == {"net:junction:C", "net:junction:D"}
    assert [c.action for c in components.history(scope, "net:pipe:CD")] == ["restore", "retire"]


def test_what_a_register_knows_survives_a_file_that_is_silent(
    networks: NetworkRepository, components: ComponentRepository, scope: Scope
) -> None:
    networks.persist(scope, "net", line_network(), SOURCE)
    components.patch(scope, "net:pipe:AB", {"material": "cast_iron", "install_date": date(1931, 5, 1)})
    components.create(
        scope,
        NewComponent("hydrant-7", "Hydrant", network="net", start="net:junction:B", properties={"x": 2.0, "y": 1.0}),
    )

    networks.persist(scope, "net", line_network(), replace(SOURCE, sha256="1" * 64))

    pipe = components.get(scope, "net:pipe:AB").component
    assert (pipe.properties["material"], pipe.properties["install_date"]) == ("cast_iron", date(1931, 5, 1))
    hydrant = components.get(scope, "hydrant-7")
    assert hydrant.component.retired_at is None
    assert [c.id for c in hydrant.connected] == ["net:junction:B"]


def test_a_link_moved_to_another_node_loses_its_old_joint(
    networks: NetworkRepository, components: ComponentRepository, scope: Scope
) -> None:
    model = line_network()
    networks.persist(scope, "net", model, SOURCE)
    moved = replace(model, pipes=(*model.pipes[:-1], replace(model.pipes[-1], start="B")))

    summary = networks.persist(scope, "net", moved, SOURCE)

    assert summary.revision == 2
    assert {c.id for c in components.get(scope, "net:pipe:CD").connected} == {"net:junction:B", "net:junction:D"}


def test_an_import_that_fails_midway_leaves_the_graph_as_it_was(
    networks: NetworkRepository, driver: neo4j.Driver, scope: Scope
) -> None:
    networks.persist(scope, "other", line_network(), SOURCE, id_of=lambda network, label, name: f"{label}-{name}")
    networks.persist(scope, "net", line_network(), SOURCE)
    before = whole(driver, scope)
    extra = PipeModel("DX", "D", "X", length_m=1.0, diameter_m=0.1)
    bigger = replace(
        line_network(),
        junctions=(*line_network().junctions, JunctionModel("X", elevation_m=0.0)),
        pipes=(*line_network().pipes, extra),
    )

    # junctions are written before pipes, and the last pipe takes an id of the other network
    with pytest.raises(Conflict, match="Pipe-AB"):
        networks.persist(
            scope, "net", bigger, SOURCE,
            id_of=lambda network, label, name: "Pipe-AB" if name == "DX" else f"net:{label.lower()}:{name}",
        )  # fmt: skip

    assert whole(driver, scope) == before


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (replace(line_network(), pipes=(PipeModel("P", "A", "nowhere", 1.0, 0.1),)), "nowhere"),
        (replace(line_network(), junctions=(*line_network().junctions, JunctionModel("R", 0.0))), "twice"),
        (replace(line_network(), link_to_link=(("AB", "nothing"),)), "nothing"),
    ],
)
def test_a_model_that_contradicts_itself_is_refused(
    networks: NetworkRepository, scope: Scope, broken: NetworkModel, message: str
) -> None:
    with pytest.raises(InvalidModel, match=message):
        networks.persist(scope, "net", broken, SOURCE)
    with pytest.raises(NotFound):
        networks.get(scope, "net")


def test_a_known_coordinate_system_puts_the_network_on_the_globe(
    networks: NetworkRepository, components: ComponentRepository, scope: Scope
) -> None:
    model = replace(
        line_network(), junctions=(JunctionModel("A", 1.0, x=500_000.0, y=4_649_776.0),), reservoirs=(), pipes=()
    )

    networks.persist(scope, "net", model, SOURCE, crs="epsg:32633")

    location = components.get(scope, "net:junction:A").component.location
    assert location is not None
    assert (location.srid, round(location.x, 4), round(location.y, 2)) == (4326, 15.0, 42.0)
    assert networks.get(scope, "net").crs == "EPSG:32633"
    assert networks.get(scope, "net").plane is None


@pytest.mark.parametrize("crs", ["EPSG:999999", "wgs84", "EPSG:5714", ""])
def test_an_unknown_coordinate_system_is_refused(networks: NetworkRepository, scope: Scope, crs: str) -> None:
    if crs:
        with pytest.raises(InvalidValue) as refused:
            networks.persist(scope, "net", line_network(), SOURCE, crs=crs)
        assert refused.value.fields[0].field == "crs"
    else:
        networks.persist(scope, "net", line_network(), SOURCE, crs=crs)
        assert networks.get(scope, "net").plane is not None


def test_coordinates_outside_their_system_are_refused(networks: NetworkRepository, scope: Scope) -> None:
    model = replace(line_network(), junctions=(JunctionModel("A", 1.0, x=1e9, y=1e9),), pipes=())

    with pytest.raises(InvalidValue, match="outside EPSG:32633"):
        networks.persist(scope, "net", model, SOURCE, crs="EPSG:32633")


def test_the_mini_network_is_the_contract_s(
    networks: NetworkRepository, components: ComponentRepository, scope: Scope
) -> None:
    networks.persist(scope, MINI_ID, MINI, SourceFile("mini", "m" * 64, "mini"), name=MINI_NAME, id_of=own_names)

    by_id = {c.id: c for c in components.stream(scope, ComponentFilter(network="mini"))}
    assert set(by_id) == {"TNK001", "JCT001", "JCT002", "VLV001", "PIP001", "PIP002"}
    assert by_id["TNK001"].properties["capacity_m3"] == 500.0
    assert by_id["VLV001"].properties["valve_kind"] == "gate"
    assert {c.id for c in components.stream(scope, ComponentFilter(zone="ZON001"))} == {"JCT001", "JCT002"}
    joined = {(c.id, c.outgoing) for c in components.get(scope, "VLV001").connected}
    assert joined == {("JCT001", False), ("PIP001", True)}
    assert networks.load_model(scope, "mini").link_to_link == (("VLV001", "PIP001"),)


@pytest.mark.slow
def test_ten_thousand_components_fit_into_one_transaction(networks: NetworkRepository, scope: Scope) -> None:
    model = grid_network(58)
    started = time.perf_counter()
    summary = networks.persist(scope, "big", model, SOURCE)
    print(f"{summary.created} components imported in {time.perf_counter() - started:.1f} s")
    started = time.perf_counter()
    again = networks.persist(scope, "big", model, SOURCE)
    print(f"again in {time.perf_counter() - started:.1f} s")

    assert (summary.created, again.unchanged, again.revision) == (9_980, 9_980, 1)


def test_a_network_that_no_transaction_can_hold_is_refused_with_what_to_raise(
    networks: NetworkRepository, scope: Scope
) -> None:
    networks.persist(scope, "net", line_network(), SOURCE)
    with pytest.raises(TooLarge, match="more than one transaction") as caught:
        networks.persist(scope, "net", grid_network(130), SOURCE)
    assert "WNIS_NEO4J_HEAP_MB" in caught.value.mend
    assert networks.head(scope, "net").revision == 1
    assert networks.load_model(scope, "net").title == "line"
