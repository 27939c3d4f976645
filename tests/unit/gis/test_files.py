"""Registers in the formats of GIS are read by content; what is wrong with one is said with its mend."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyogrio.raw import write
from wnis_core.errors import InvalidValue, NotFound
from wnis_core.mapping import parse_mapping
from wnis_core.mapping_rules import FileLayout
from wnis_ops.gis.layers import read_layer
from wnis_ops.gis.proposal import propose

FORMATS = {"mains.shp": "ESRI Shapefile", "mains.gpkg": "GPKG", "mains.geojson": "GeoJSON"}


def written(path: Path, geometries: Any, columns: dict[str, Any], crs: str | None = "EPSG:3089", **more: Any) -> Path:
    """A file of GIS with these rows."""
    fields = [
        np.array(values, dtype=None if isinstance(values[0], (int, float)) else object) for values in columns.values()
    ]
    kind = next((g.geom_type for g in geometries if g is not None), None) if geometries is not None else None
    driver = more.pop("driver", None) or FORMATS.get(path.name) or FORMATS[f"mains{path.suffix}"]
    wkb = None if geometries is None else shapely.to_wkb(np.array(geometries, dtype=object))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a file without reference system is what some tests want
        write(path, wkb, fields, list(columns), geometry_type=kind, crs=crs, driver=driver, **more)
    return path


LINES = [shapely.LineString([(0, 0), (100, 0)]), shapely.LineString([(100, 0), (100, 80)]), None]
COLUMNS: dict[str, Any] = {
    "ASSET": [11, 12, 13], "MAT": ["CI", "Grauguß", None], "LAID": ["1950-03-01", "1971-12-31", ""],
    "DIA": [6.0, 8.5, np.nan],
}  # fmt: skip


@pytest.mark.parametrize("name", list(FORMATS))
def test_every_format_gives_the_same_cells_lines_and_reference_system(tmp_path: Path, name: str) -> None:
    crs = "EPSG:4326" if name.endswith("json") else "EPSG:3089"
    layer = read_layer(written(tmp_path / name, LINES, COLUMNS, crs))
    assert layer.header == ("ASSET", "MAT", "LAID", "DIA")
    assert layer.rows == [["11", "CI", "1950-03-01", "6"], ["12", "Grauguß", "1971-12-31", "8.5"], ["13", "", "", ""]]
    assert shapely.equals(layer.geometries[:2], LINES[:2]).all()
    assert layer.geometries[2] is None
    assert layer.crs is not None
    assert layer.name == "mains"


def test_a_csv_is_a_layer_without_geometry(tmp_path: Path) -> None:
    (tmp_path / "mains.csv").write_text("ASSET;MAT\n1;CI\n\n2;DI\n")
    layer = read_layer(tmp_path / "mains.csv")
    assert (layer.header, layer.rows, layer.geometries, layer.crs) == (
        ("ASSET", "MAT"), [["1", "CI"], ["2", "DI"]], None, None,
    )  # fmt: skip


def test_a_latin_1_table_is_read_with_its_letters(tmp_path: Path) -> None:
    path = written(tmp_path / "mains.shp", LINES[:1], {"MAT": ["Grauguß"]}, encoding="ISO-8859-1")
    (tmp_path / "mains.cpg").unlink()
    assert "Graugu\xdf".encode("latin-1") in (tmp_path / "mains.dbf").read_bytes()
    assert read_layer(path).rows == [["Grauguß"]]
    assert read_layer(path, layout=FileLayout(encoding="latin-1")).rows == [["Grauguß"]]


def test_one_of_several_layers_is_named(tmp_path: Path) -> None:
    path = tmp_path / "town.gpkg"
    written(path, LINES[:1], {"A": [1]}, driver="GPKG", layer="mains")
    written(path, [shapely.Point(1, 2)], {"B": [2]}, driver="GPKG", layer="valves", append=True)
    with pytest.raises(InvalidValue, match="2 layers: mains, valves") as refused:
        read_layer(path)
    assert "--layer" in str(refused.value.mend)
    with pytest.raises(NotFound, match="no layer 'pipes'") as unknown:
        read_layer(path, "pipes")
    assert "mains, valves" in str(unknown.value.mend)
    layer = read_layer(path, "valves")
    assert (layer.header, layer.where) == (("B",), "town.gpkg, layer valves")


def test_a_file_that_is_not_what_it_says_is_refused_in_words(tmp_path: Path) -> None:
    whole = written(tmp_path / "mains.gpkg", LINES[:1], {"A": [1]}).read_bytes()
    (tmp_path / "half.gpkg").write_bytes(whole[: len(whole) // 3])
    (tmp_path / "odd.shp").write_bytes(b"nothing of the kind")
    (tmp_path / "odd.geojson").write_text("a,b\n1,2\n")
    (tmp_path / "open.geojson").write_text('{"type": "FeatureCollection", "features": [')
    written(tmp_path / "mains.shp", LINES[:1], {"A": [1]})
    (tmp_path / "mains.dbf").rename(tmp_path / "other.dbf")
    for name, says in {
        "half.gpkg": "cannot be read",
        "odd.shp": "no shp file by its content",
        "odd.geojson": "no geojson file by its content",
        "open.geojson": "cannot be read",
        "mains.shp": "no mains.dbf beside it",
        "other.dbf": "part of a Shapefile",
    }.items():
        with pytest.raises(InvalidValue, match=says) as refused:
            read_layer(tmp_path / name)
        assert refused.value.mend
    with pytest.raises(NotFound):
        read_layer(tmp_path / "nothing.shp")


def test_a_mapping_is_proposed_from_header_values_and_geometry(tmp_path: Path) -> None:
    layer = read_layer(written(tmp_path / "mains.shp", LINES, {
        "ASSET_ID": [11, 12, 13], "MATERIAL": ["CI", "DI", "XX"], "INSTALLED": ["31.12.1950", "01.02.1971", ""],
        "DIAMETER": [150, 200, 0], "STREET": ["A", "A", "B"],
    }))  # fmt: skip
    proposal = propose(layer)
    mapping = parse_mapping(proposal.toml(), "proposed")
    rules = {rule.target.name: rule for rule in mapping.rules}
    assert mapping.target.name == "assets"
    assert mapping.geometry is not None
    assert mapping.geometry.crs == ""
    assert rules["source_id"].columns == ("ASSET_ID",)
    assert rules["material"].codes == {"ci": "cast_iron", "di": "ductile_iron"}
    assert rules["install_date"].dates == ("%d.%m.%Y",)
    assert (rules["diameter_m"].factor, rules["diameter_m"].missing) == (0.001, frozenset({"0"}))
    document = proposal.document()
    assert [c["property"] for c in document["columns"]] == [
        "source_id", "material", "install_date", "diameter_m", None,
    ]  # fmt: skip
    assert document["crs"] == "EPSG:3089"
    assert "# not read: STREET" in proposal.toml()


def test_a_proposal_for_odd_names_and_values_is_still_a_mapping(tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text(
        'id \U0001f6b0,"MATERIAL\x7f","a\nb"\n"1\x01\n2",CI,x\n3,"""DI\\",y\n', encoding="utf-8"
    )
    proposal = propose(read_layer(tmp_path / "odd.csv"))
    rules = {rule.target.name: rule for rule in parse_mapping(proposal.toml(), "proposed").rules}
    assert rules["source_id"].columns == ("id \U0001f6b0",)
    assert rules["material"].columns == ("MATERIAL\x7f",)


def test_points_without_a_key_are_proposed_by_their_row(tmp_path: Path) -> None:
    layer = read_layer(written(tmp_path / "gate_valves.gpkg", [shapely.Point(1, 2), shapely.Point(2, 2)],
                               {"TURNS": [0, 0]}, None, driver="GPKG"))  # fmt: skip
    mapping = parse_mapping(propose(layer).toml(), "proposed")
    assert mapping.target.name == "isolation_valves"
    assert mapping.geometry is not None
    assert mapping.geometry.crs == "network"
    assert [rule.columns for rule in mapping.rules] == [("@row",)]


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("file", "target", "properties"),
    [
        ("micropolis_gis/watermains_v0.shp", "assets", {"source_id", "install_date", "material", "diameter_m"}),
        ("micropolis_gis/valves_v0.shp", "isolation_valves", {"source_id"}),
        ("micropolis_gis/hydrants_v1.shp", "devices", {"source_id", "type"}),
        ("micropolis_gis/waterservcon_v0.shp", "service_connections", {"source_id", "name", "customers"}),
        ("kitchener/Water_Mains.csv", "assets",
         {"source_id", "install_date", "material", "diameter_m", "length_m", "lined_date"}),
    ],
)  # fmt: skip
def test_mappings_proposed_for_real_files(shared_data: Path, file: str, target: str, properties: set[str]) -> None:
    mapping = parse_mapping(propose(read_layer(shared_data / file)).toml(), "proposed")
    assert (mapping.target.name, {rule.target.name for rule in mapping.rules}) == (target, properties)
