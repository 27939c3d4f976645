"""Rows find their components by course or by place; what is doubtful is listed, and nothing is guessed.

The network, in metres (a reservoir R, junctions A to D, pipes with the length of the model)::

    R ---RA 100--- A ---AB 200--- B ---BC 100--- C
                                  |
                                  BD 50
                                  |
                                  D
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely
from wnis_core.errors import InvalidValue
from wnis_core.mapping import parse_mapping
from wnis_ops.gis.register import Register, read_register

from tests.unit.gis.test_files import written

NODES = {"R": (0, 0), "A": (100, 0), "B": (300, 0), "C": (400, 0), "D": (300, -50)}
PIPES = {"RA": 100.0, "AB": 210.0, "BC": 100.0, "BD": 50.0}
GEOMETRY = """
[geometry]
crs = "network"
tolerance_m = {tolerance}
{more}
"""
MAINS = 'target = "assets"\n' + GEOMETRY + '[properties.source_id]\ncolumn = "ID"\n'
VALVES = 'target = "isolation_valves"\n' + GEOMETRY + '[properties.source_id]\ncolumn = "ID"\n'


ORIGIN = (500_000.0, 5_400_000.0)
"""Where the network lies when it has a coordinate reference system."""


def network(crs: str | None = None, north: float = ORIGIN[1]) -> Mapping[str, Any]:
    """What ``GET /networks/{id}/geometry`` answers; with `crs` in degrees."""
    east, north = (ORIGIN[0], north) if crs else (0.0, 0.0)
    move = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform if crs else lambda x, y: (x, y)

    def feature(identifier: str, kind: str, *nodes: str, length_m: float | None = None) -> dict[str, Any]:
        places = [list(move(NODES[n][0] + east, NODES[n][1] + north)) for n in nodes]
        geometry = (
            {"type": "LineString", "coordinates": places} if len(places) > 1
            else {"type": "Point", "coordinates": places[0]}
        )  # fmt: skip
        start, end = (nodes[0], nodes[-1]) if len(nodes) > 1 else (None, None)
        properties = {
            "type": kind,
            "name": identifier,
            "source_id": None,
            "length_m": length_m,
            "start": start,
            "end": end,
        }
        return {"type": "Feature", "id": identifier, "geometry": geometry, "properties": properties}

    features = [feature(n, "Junction", n) for n in NODES]
    features += [feature(p, "Pipe", *p, length_m=length) for p, length in PIPES.items()]
    return {"network": "net", "crs_of_source": crs, "features": features}


def taken(
    folder: Path, mapping: str, geometries: list[Any], crs: str | None = None, *, net: str | None = None,
    tolerance: float = 2.0, more: str = "", north: float = ORIGIN[1],
) -> Register:  # fmt: skip
    path = written(folder / "mains.gpkg", geometries, {"ID": [f"M{i}" for i in range(1, len(geometries) + 1)]}, crs)
    rules = parse_mapping(mapping.format(tolerance=tolerance, more=more), "test")
    return read_register(path, rules, "", lambda: network(net, north))


def line(*points: tuple[float, float]) -> Any:
    return shapely.LineString(points)


def matched(register: Register) -> list[tuple[int, str]]:
    return [(one["row"], one["id"]) for one in register.report["matched"]]


def test_a_main_belongs_to_every_pipe_that_it_runs_along_whatever_its_direction(tmp_path: Path) -> None:
    found = taken(tmp_path, MAINS, [line((300, 0.5), (0, 0.5)), line((300, 1), (300, -50)), line((300, 0), (400, 1))])
    assert matched(found) == [(1, "RA"), (1, "AB"), (2, "BD"), (3, "BC")]
    assert [(row["id"], row["source_id"]) for row in found.table.rows] == [
        ("RA", "M1"), ("AB", "M1"), ("BD", "M2"), ("BC", "M3"),
    ]  # fmt: skip
    assert found.table.row_numbers == [1, 1, 2, 3]
    assert (found.report["ambiguous"], found.report["unplaced"], found.report["uncovered"]) == ([], [], [])


def test_a_course_counts_and_not_its_middle(tmp_path: Path) -> None:
    """A line crossing AB in its middle, and one that only meets it there, are no course of it."""
    found = taken(tmp_path, MAINS, [line((200, -20), (200, 20)), line((100, 60), (200, 0), (300, 60))])
    assert matched(found) == []
    assert [one["row"] for one in found.report["unplaced"]] == [1, 2]
    assert set(found.report["uncovered"]) == set(PIPES)


def test_a_stub_at_a_right_angle_is_not_the_main_beside_it(tmp_path: Path) -> None:
    """All of BD lies within the tolerance of the main, but it does not run along it."""
    found = taken(tmp_path, MAINS, [line((0, 0), (400, 0))], tolerance=40.0)
    assert matched(found) == [(1, "RA"), (1, "AB"), (1, "BC")]
    assert found.report["uncovered"] == ["BD"]


def test_a_course_with_one_far_detour_is_another_main(tmp_path: Path) -> None:
    found = taken(tmp_path, MAINS, [line((100, 0), (195, 0), (200, 12), (205, 0), (300, 0))])
    assert (matched(found), len(found.report["unplaced"])) == ([], 1)


def test_two_parallel_mains_about_equally_near_are_listed_and_left_out(tmp_path: Path) -> None:
    pair = [line((100, 1), (300, 1)), line((100, -1.1), (300, -1.1))]
    found = taken(tmp_path, MAINS, pair)
    assert matched(found) == []
    assert found.report["ambiguous"] == [
        {"component": "AB", "candidates": [{"row": 1, "distance_m": 1.0}, {"row": 2, "distance_m": 1.1}]}
    ]
    assert found.report["unplaced"] == []
    clear = taken(tmp_path / "..", MAINS, [pair[0], line((100, -1.9), (300, -1.9))])
    assert matched(clear) == [(1, "AB")]
    wide = taken(tmp_path, MAINS, [pair[0], line((100, -1.9), (300, -1.9))], more="margin_m = 1.0")
    assert len(wide.report["ambiguous"]) == 1


def test_a_row_along_a_small_part_of_a_pipe_says_nothing_of_the_pipe(tmp_path: Path) -> None:
    found = taken(tmp_path, MAINS, [line((100, 0), (180, 0))])
    assert found.report["unplaced"] == [{"row": 1, "message": "runs along less than half of AB"}]


def test_a_valve_sits_on_its_pipe_near_the_nearer_end_in_the_length_of_the_model(tmp_path: Path) -> None:
    found = taken(tmp_path, VALVES, [shapely.Point(110, 1), shapely.Point(280, 0), shapely.Point(300.5, -30)])
    assert [{k: row[k] for k in ("source_id", "pipe", "near", "offset_m")} for row in found.table.rows] == [
        {"source_id": "M1", "pipe": "AB", "near": "A", "offset_m": 10.5},
        {"source_id": "M2", "pipe": "AB", "near": "B", "offset_m": 21.0},
        {"source_id": "M3", "pipe": "BD", "near": "D", "offset_m": 20.0},
    ]


def test_a_valve_between_two_pipes_or_far_from_all_is_listed(tmp_path: Path) -> None:
    found = taken(tmp_path, VALVES, [shapely.Point(300, 0.1), shapely.Point(200, 5), None])
    assert found.table.rows == []
    assert [one["id"] for one in found.report["ambiguous"][0]["candidates"]] == ["AB", "BC", "BD"]
    assert found.report["unplaced"] == [
        {"row": 2, "message": "no Pipe within 2 m"}, {"row": 3, "message": "has no point or line"},
    ]  # fmt: skip


def test_attributes_of_points_go_to_the_nearest_node_once(tmp_path: Path) -> None:
    points = [shapely.Point(100, 0.2), shapely.Point(101, 0.5), shapely.Point(400, 0.5), shapely.Point(400, -0.5)]
    found = taken(tmp_path, MAINS, points, more='components = ["Junction"]')
    assert matched(found) == [(1, "A")]
    assert found.report["unplaced"] == [{"row": 2, "message": "A is nearer to row 1"}]
    assert found.report["ambiguous"] == [
        {"component": "C", "candidates": [{"row": 3, "distance_m": 0.5}, {"row": 4, "distance_m": 0.5}]}
    ]


def test_a_connection_is_served_at_its_place_on_the_pipe(tmp_path: Path) -> None:
    names = [f'[properties.{name}]\ncolumn = "ID"\n' for name in ("source_id", "name")]
    mapping = 'target = "service_connections"\n' + GEOMETRY + "".join(names) + "[properties.customers]\nconstant = 2\n"
    found = taken(tmp_path, mapping, [line((250, 0.1), (250, 30)), line((50, 40), (50, 0))], more='at = "start"')
    assert [(row["served_by"], row["offset_m"]) for row in found.table.rows] == [("AB", 157.5)]
    assert [one["row"] for one in found.report["unplaced"]] == [2]
    other = taken(tmp_path, mapping, [line((50, 40), (50, 0))], more='at = "end"')
    assert [(row["served_by"], row["offset_m"]) for row in other.table.rows] == [("RA", 50.0)]
    whole = taken(tmp_path, mapping, [line((50, 40), (50, 0))])
    assert [row["served_by"] for row in whole.table.rows] == ["RA"]


def test_file_and_network_in_two_reference_systems_meet_in_metres(tmp_path: Path) -> None:
    to_file = pyproj.Transformer.from_crs("EPSG:25832", "EPSG:3857", always_xy=True).transform
    point = shapely.Point(*to_file(ORIGIN[0] + 110, ORIGIN[1] + 1))
    mapping = VALVES.replace('crs = "network"\n', "")
    found = taken(tmp_path, mapping, [point], "EPSG:3857", net="EPSG:25832")
    assert [(row["pipe"], row["near"]) for row in found.table.rows] == [("AB", "A")]
    assert found.table.rows[0]["offset_m"] == pytest.approx(10.5, abs=0.02)
    stated = mapping.replace("[geometry]", '[geometry]\ncrs = "EPSG:3857"')
    assert taken(tmp_path, stated, [point], None, net="EPSG:25832").table.rows == found.table.rows

    with pytest.raises(InvalidValue, match=r"Nothing of mains.gpkg lies within network net: it is [\d,]+ km away"):
        taken(tmp_path, mapping, [shapely.Point(0, 0)], "EPSG:3857", net="EPSG:25832")
    with pytest.raises(InvalidValue, match="does not say its coordinate reference system") as refused:
        taken(tmp_path, mapping, [point], None, net="EPSG:25832")
    assert "geometry.crs" in str(refused.value.mend)
    with pytest.raises(InvalidValue, match="the network has no coordinate reference system"):
        taken(tmp_path, mapping, [point], "EPSG:3857")


def test_file_and_network_in_one_reference_system_share_every_point(tmp_path: Path) -> None:
    """The British grid has several ways to WGS 84, which lie metres apart."""
    mapping = VALVES.replace('crs = "network"\n', "")
    point = shapely.Point(ORIGIN[0] + 110, 400_000.0)
    found = taken(tmp_path, mapping, [point], "EPSG:27700", net="EPSG:27700", north=400_000.0)
    assert [(row["pipe"], row["near"], row["offset_m"]) for row in found.table.rows] == [("AB", "A", 10.5)]
    assert found.report["matched"][0]["distance_m"] == 0


def test_an_area_has_no_place_on_a_pipe(tmp_path: Path) -> None:
    found = taken(tmp_path, VALVES, [shapely.box(110, -1, 120, 1)])
    assert found.report["unplaced"] == [{"row": 1, "message": "has no point or line"}]


def test_a_plane_in_feet_is_scaled(tmp_path: Path) -> None:
    five_feet = [shapely.Point(110, 5)]
    assert matched(taken(tmp_path, VALVES, five_feet, more='unit = "ft"')) == [(1, "AB")]
    assert matched(taken(tmp_path, VALVES, five_feet)) == []


def test_columns_of_a_table_hold_places(tmp_path: Path) -> None:
    (tmp_path / "valves.csv").write_text("ID,EAST,NORTH\nV1,110,0\nV2,nowhere,0\n")
    rules = parse_mapping(VALVES.format(tolerance=2.0, more='x = "EAST"\ny = "NORTH"'), "test")
    found = read_register(tmp_path / "valves.csv", rules, "", network)
    assert [(row["pipe"], row["offset_m"]) for row in found.table.rows] == [("AB", 10.5)]
    assert found.report["unplaced"] == [{"row": 2, "message": "has no point or line"}]
    with pytest.raises(InvalidValue, match="is a table without layers"):
        read_register(tmp_path / "valves.csv", rules, "mains", network)


def test_devices_keep_the_coordinates_of_the_network(tmp_path: Path) -> None:
    mapping = 'target = "devices"\n[geometry]\ncrs = "network"\n[properties.source_id]\ncolumn = "ID"\n' \
              '[properties.type]\nconstant = "Hydrant"\n'  # fmt: skip
    found = taken(tmp_path, mapping, [shapely.Point(110, 5), None])
    assert [(row["x"], row["y"]) for row in found.table.rows] == [(110.0, 5.0)]
    assert found.table.documents() == [{"id": "hydrant:M1", "source_id": "M1", "type": "Hydrant", "x": 110.0, "y": 5.0}]
    assert [one["row"] for one in found.report["unplaced"]] == [2]


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        (VALVES.format(tolerance=2, more="crs2 = 1"), "geometry.crs2", "not a key"),
        (VALVES.replace('"network"', '"Kentucky"').format(tolerance=2, more=""), "geometry.crs", "EPSG:n"),
        (VALVES.format(tolerance=2, more='unit = "yd"'), "geometry.unit", "one of m"),
        (VALVES.replace("tolerance_m = {tolerance}", "").format(more=""), "geometry.tolerance_m", "is missing"),
        (VALVES.format(tolerance=2, more='x = "EAST"'), "geometry", "only one of x and y"),
        (VALVES.format(tolerance=2, more="") + '[properties.pipe]\ncolumn = "P"\n', "properties.pipe", "found from"),
    ],
)
def test_a_fault_of_the_geometry_table_is_named(text: str, key: str, says: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        parse_mapping(text, "test")
    assert says in {problem.field: problem.message for problem in refused.value.fields}[key]


def test_matching_thousands_of_lines_takes_seconds(tmp_path: Path) -> None:
    """A grid of 10,000 pipes against itself, shifted by half a metre."""
    ends = np.array([(x * 50.0, y * 50.0) for x in range(100) for y in range(100)])
    lines = [shapely.LineString([(x, y), (x + 50, y)]) for x, y in ends]
    features = [
        {"type": "Feature", "id": f"P{i}", "geometry": {"type": "LineString", "coordinates": list(one.coords)},
         "properties": {"type": "Pipe", "name": f"P{i}", "length_m": 50.0, "start": None, "end": None}}
        for i, one in enumerate(lines)
    ]  # fmt: skip
    path = written(
        tmp_path / "mains.gpkg",
        shapely.transform(np.array(lines), lambda p: p + 0.5),
        {"ID": list(range(10_000))},
        None,
    )
    rules = parse_mapping(MAINS.format(tolerance=2.0, more=""), "test")
    found = read_register(path, rules, "", lambda: {"network": "grid", "crs_of_source": None, "features": features})
    assert matched(found) == [(i + 1, f"P{i}") for i in range(10_000)]
