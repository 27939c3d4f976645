"""Exports, opened again by the programs they are for: GeoPackage through GDAL, the bundle against its schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import jsonschema
import neo4j
import pyogrio
import pytest
import shapely
from wnis_core.errors import NotFound
from wnis_graph.exports.bundle import BundleExporter
from wnis_graph.exports.geopackage import write_geopackage
from wnis_graph.network_model import NetworkModel
from wnis_graph.queries.components import Component
from wnis_graph.repositories.components import ComponentFilter, ComponentRepository
from wnis_graph.repositories.networks import NetworkRepository
from wnis_graph.runner import Runner
from wnis_graph.schema.model import COMPONENT_LABELS
from wnis_graph.scope import Scope

from tests.component.graph.samples import SOURCE, grid_network, line_network
from tests.conftest import REPOSITORY

_CRS = "EPSG:3089"
_EAST, _NORTH = 5_000_000.0, 3_800_000.0


def _in_kentucky(model: NetworkModel) -> NetworkModel:
    """`model` where EPSG:3089 (feet) is at home."""

    def moved(nodes: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(replace(node, x=node.x + _EAST, y=node.y + _NORTH) for node in nodes)

    return replace(
        model, junctions=moved(model.junctions), reservoirs=moved(model.reservoirs), tanks=moved(model.tanks)
    )


def _by_type(runner: Runner, scope: Scope, network: str) -> Iterator[Component]:
    components = ComponentRepository(runner)
    return chain.from_iterable(
        components.stream(scope, ComponentFilter(network=network, type=label)) for label in COMPONENT_LABELS
    )


def _read(path: Path, layer: str) -> tuple[dict[str, Any], list[dict[str, Any]], list[Any]]:
    meta, _, shapes, fields = pyogrio.raw.read(path, layer=layer)
    rows = [dict(zip(meta["fields"], values, strict=True)) for values in zip(*fields, strict=True)]
    return meta, rows, [None if wkb is None else shapely.from_wkb(wkb) for wkb in shapes]


def test_a_geopackage_has_a_layer_for_each_type_in_the_networks_own_system(
    runner: Runner, scope: Scope, tmp_path: Path
) -> None:
    NetworkRepository(runner).persist(scope, "grid", _in_kentucky(grid_network(4)), SOURCE, crs=_CRS)
    path = tmp_path / "grid.gpkg"

    written = write_geopackage(path, _by_type(runner, scope, "grid"), _CRS, batch_rows=7)

    assert written == {"Junction": 16, "Reservoir": 1, "Tank": 1, "Pipe": 24, "Pump": 1, "Valve": 1}
    assert dict(pyogrio.list_layers(path)) == {
        "junction": "Point", "reservoir": "Point", "tank": "Point",
        "pipe": "LineString", "pump": "LineString", "valve": "LineString",
    }  # fmt: skip
    meta, pipes, lines = _read(path, "pipe")
    assert meta["crs"] == _CRS
    assert len(pipes) == 24
    by_name = {row["name"]: (row, line) for row, line in zip(pipes, lines, strict=True)}
    row, line = by_name["P0"]
    assert (row["id"], row["network"], row["length_m"], row["diameter_m"]) == ("grid:pipe:P0", "grid", 100.0, 0.15)
    assert row["install_date"].astype("datetime64[D]").item() == date(1970, 1, 1)
    assert row["material"] is None
    assert list(line.coords) == [
        pytest.approx((_EAST, _NORTH), abs=0.01), pytest.approx((_EAST + 100, _NORTH), abs=0.01),
    ]  # fmt: skip
    _, junctions, points = _read(path, "junction")
    assert {row["elevation_m"] for row in junctions} == {100.0, 101.0, 102.0, 103.0}
    assert all(point.geom_type == "Point" for point in points)


def test_a_network_without_a_system_keeps_its_own_coordinates(runner: Runner, scope: Scope, tmp_path: Path) -> None:
    NetworkRepository(runner).persist(scope, "line", line_network(), SOURCE)
    path = tmp_path / "line.gpkg"

    write_geopackage(path, _by_type(runner, scope, "line"), None)

    meta, junctions, points = _read(path, "junction")
    assert meta["crs"] is None or "Undefined" in meta["crs"]
    places = {row["name"]: (point.x, point.y) for row, point in zip(junctions, points, strict=True)}
    assert places == {"A": (1.0, 0.0), "B": (2.0, 0.0), "C": (3.0, 0.0), "D": (4.0, 0.0)}


def test_an_empty_network_is_a_file_that_opens(tmp_path: Path) -> None:
    assert write_geopackage(tmp_path / "empty.gpkg", [], None) == {}
    assert [name for name, _ in pyogrio.list_layers(tmp_path / "empty.gpkg")] == ["pipe"]


def test_a_component_without_a_place_is_a_row_without_geometry(runner: Runner, scope: Scope, tmp_path: Path) -> None:
    NetworkRepository(runner).persist(scope, "line", line_network(), SOURCE)
    nowhere = [replace(one, location=None, shape=()) for one in _by_type(runner, scope, "line")]

    write_geopackage(tmp_path / "line.gpkg", nowhere, None)

    _, junctions, points = _read(tmp_path / "line.gpkg", "junction")
    assert (len(junctions), points) == (4, [None] * 4)


@pytest.fixture
def bundle(runner: Runner, driver: neo4j.Driver, scope: Scope) -> list[dict[str, Any]]:
    """The lines of a network with customers and an incident."""
    NetworkRepository(runner).persist(scope, "grid", _in_kentucky(grid_network(4)), SOURCE, crs=_CRS)
    with driver.session() as session:
        session.run(
            """
            MATCH (p:Pipe {utility: $u, name: 'P0'}), (j:Junction {utility: $u, name: 'J0-0'})
            CREATE (:Incident {utility: $u, id: 'i1', kind: 'break', status: 'open', narrative: 'Rohrbruch Ω',
              occurred_at: datetime('2024-02-01T10:00:00Z')})-[:AFFECTED]->(p)
            CREATE (:ServiceConnection {utility: $u, id: 's1', name: 'school', customers: 30, critical: true})
              -[:SERVED_BY]->(j)
            """,
            u=scope.utility,
        ).consume()
    return [json.loads(line) for line in BundleExporter(runner).lines(scope, "grid")]


def test_every_line_of_a_bundle_fits_the_published_schema(bundle: list[dict[str, Any]]) -> None:
    schema = json.loads((REPOSITORY / "docs" / "reference" / "bundle.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    for line in bundle:
        validator.validate(line)
    assert not validator.is_valid({"line": "zone", "id": "z"})


def test_a_bundle_is_whole_and_says_so(bundle: list[dict[str, Any]], runner: Runner, scope: Scope) -> None:
    first, last = bundle[0], bundle[-1]
    assert (first["line"], first["network"], first["coordinates"], first["crs_of_source"]) == (
        "header", "grid", "EPSG:4326", _CRS,
    )  # fmt: skip
    counted = {kind: sum(1 for line in bundle[:-1] if line["line"] == kind) for kind in last["lines"]}
    assert last["lines"] == counted
    assert (counted["component"], counted["incident"], counted["service_connection"]) == (44, 1, 1)
    model = NetworkRepository(runner).load_model(scope, "grid")
    links = {one.name: (one.start, one.end) for one in (*model.pipes, *model.pumps, *model.valves)}
    names = {line["id"]: line["name"] for line in bundle if line["line"] == "component"}
    joints = {(names[line["start"]], names[line["end"]]) for line in bundle if line["line"] == "connection"}
    assert joints == {joint for name, (start, end) in links.items() for joint in ((start, name), (name, end))}
    pipe = next(line for line in bundle if line.get("id") == "grid:pipe:P0")
    assert (pipe["properties"]["length_m"], pipe["properties"]["install_date"]) == (100.0, "1970-01-01")
    assert len(pipe["shape"]) == 2
    incident = next(line for line in bundle if line["line"] == "incident")
    assert (incident["narrative"], incident["components"]) == ("Rohrbruch Ω", ["grid:pipe:P0"])
    assert incident["occurred_at"].startswith("2024-02-01T10:00:00")


def test_an_unknown_network_is_told_before_the_first_line(runner: Runner, scope: Scope) -> None:
    with pytest.raises(NotFound):
        BundleExporter(runner).lines(scope, "nowhere")
