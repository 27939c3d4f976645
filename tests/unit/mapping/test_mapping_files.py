"""A mapping file is either taken as a whole, or refused with every key at fault and its mend."""

from __future__ import annotations

from pathlib import Path

import pytest
from wnis_core.errors import InvalidValue, NotFound
from wnis_core.mapping import TARGETS, load_mapping, parse_mapping
from wnis_core.mapping_page import page
from wnis_core.mapping_targets import CellKind
from wnis_graph.schema.declaration import Kind
from wnis_graph.schema.model import COMPONENT_LABELS, SCHEMA

MAPPINGS = Path(__file__).parents[3] / "config" / "mappings"

ASSETS = """
target = "assets"
[properties.name]
column = "PIPE"
"""


def faults(text: str) -> dict[str, str]:
    with pytest.raises(InvalidValue) as refused:
        parse_mapping(text, "mine")
    return {problem.field: problem.message for problem in refused.value.fields}


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_mapping_is_valid(path: Path) -> None:
    assert load_mapping(path).description


def test_a_missing_file_is_named() -> None:
    with pytest.raises(NotFound, match=r"no mapping /nowhere/m\.toml"):
        load_mapping("/nowhere/m.toml")


def test_broken_toml_is_refused_with_its_line() -> None:
    with pytest.raises(InvalidValue, match="line 2"):
        parse_mapping('target = "assets"\nproperties = = 3\n', "mine")


def test_all_faults_come_at_once_with_their_keys() -> None:
    found = faults(
        ASSETS
        + """
[properties.diametre_m]
column = "D"
[properties.length_m]
column = "L"
[properties.install_date]
column = "I"
dates = ["whenever"]
[properties.material]
constant = 3
"""
    )
    assert set(found) == {
        "properties.diametre_m",
        "properties.length_m.unit",
        "properties.install_date.dates",
        "properties.material.constant",
    }
    assert "did you mean diameter_m?" in found["properties.diametre_m"]
    assert "mm" in found["properties.length_m.unit"]


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        (
            'target = "pipes"\n[properties.name]\ncolumn = "A"',
            "target",
            "assets, service_connections, isolation_valves, devices, incidents",
        ),
        ('target = "assets"', "properties", "is missing"),
        (ASSETS + 'colum = "B"', "properties.name.colum", "did you mean column?"),
        (ASSETS + 'constant = "x"', "properties.name", "exactly one of column"),
        (ASSETS + 'unit = "mm"', "properties.name.unit", "has no unit"),
        (ASSETS + 'separator = ";"', "properties.name.separator", "is for lists"),
        (ASSETS + '[properties.diameter_m]\ncolumn = "D"\nunit = "furlong"', "properties.diameter_m.unit", "mm"),
        (ASSETS + '[properties.diameter_m]\ncolumns = ["D", "E"]\nunit = "m"', "properties.diameter_m.columns", "one"),
        (ASSETS + '[properties.type]\ncolumn = "T"\ncodes = { P = "Tube" }', "properties.type.codes.P", "Pipe"),
        (ASSETS + '[properties.type]\nconstant = "Tube"', "properties.type.constant", "Pipe"),
        (ASSETS + '[file]\ntimezone = "Mars/Olympus"', "file.timezone", "IANA"),
        (ASSETS + '[file]\ndelimiter = "x"', "file.delimiter", "should be"),
        (ASSETS + '[[filters]]\ncolumn = "S"\nreason = "r"', "filters.0", "exactly one of equals"),
        (ASSETS + '[[redactions]]\nproperties = ["name"]\npattern = "("', "redactions.0.pattern", "regular expression"),
        (
            ASSETS + '[[redactions]]\nproperties = ["cause"]\npattern = "x"',
            "redactions.0.properties",
            "no column fills",
        ),
        (ASSETS + '[never]\nPIPE = "it leaks the outcome"', "never.PIPE", "it leaks the outcome"),
        (
            'target = "incidents"\n[properties.id]\ncolumn = "A"\n[properties.kind]\nconstant = "break"',
            "properties.occurred_at",
            "is required",
        ),
        (
            'target = "incidents"\n[properties.kind]\nconstant = "break"\n[properties.occurred_at]\ncolumn = "D"',
            "properties",
            "fills no key",
        ),
    ],
)
def test_a_fault_is_named_with_its_mend(text: str, key: str, says: str) -> None:
    assert says in faults(text)[key]


def test_a_place_needs_both_coordinates() -> None:
    text = """
target = "incidents"
[properties.id]
column = "A"
[properties.kind]
constant = "break"
[properties.occurred_at]
column = "D"
[properties.longitude]
column = "X"
"""
    assert "latitude" in faults(text)["properties"]


KINDS = {
    CellKind.TEXT: {Kind.STRING},
    CellKind.NUMBER: {Kind.FLOAT},
    CellKind.COUNT: {Kind.INTEGER},
    CellKind.FLAG: {Kind.BOOLEAN},
    CellKind.DAY: {Kind.DATE},
    CellKind.MOMENT: {Kind.DATETIME},
}
# what becomes a relationship or a point of the graph instead of a property
EDGES = {"served_by", "components", "zone", "longitude", "latitude", "pipe", "near", "offset_m"}


@pytest.mark.parametrize(
    ("target", "labels"),
    [
        ("assets", COMPONENT_LABELS),
        ("service_connections", ("ServiceConnection",)),
        ("isolation_valves", ("Valve",)),
        ("devices", ("Hydrant", "Sensor")),
        ("incidents", ("Incident",)),
    ],
)
def test_targets_are_properties_of_the_graph_model(target: str, labels: tuple[str, ...]) -> None:
    declared = {name: p for label in labels for name, p in SCHEMA.properties_of(label).items()}
    for wanted in TARGETS[target].properties:
        if wanted.name in EDGES or (target == "service_connections" and wanted.name == "source_id"):
            continue
        assert wanted.name in declared
        assert declared[wanted.name].kind in KINDS[wanted.kind]
        assert declared[wanted.name].unit == wanted.unit


def test_the_reference_page_is_the_generated_one() -> None:
    written = (MAPPINGS.parents[1] / "docs" / "reference" / "mapping.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m wnis_core.mapping_page > docs/reference/mapping.md"
