"""The declaration checks itself, guards the write door, and its generated files are up to date."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from wnis_core.errors import InvalidValue
from wnis_graph.query import Access, Query, nothing
from wnis_graph.schema.__main__ import generated_files, main
from wnis_graph.schema.ddl import constraint_statements, index_statements
from wnis_graph.schema.declaration import Kind, Label, Property, Relationship, Schema, SchemaProblem
from wnis_graph.schema.model import SCHEMA

from tests.conftest import REPOSITORY

ID = Property("id", Kind.STRING, "identifier", required=True)
PIPE: dict[str, Any] = {
    "id": "p", "utility": "u", "type": "Pipe", "name": "p", "network": "net", "origin": "file", "status": "open",
    "health": "unknown", "revision": 1, "length_m": 10.0, "diameter_m": 0.1,
}  # fmt: skip


def label(name: str = "Thing", *properties: Property, **more: Any) -> Label:
    return Label(name, "A thing.", (ID, *properties), **{"tenant": False, **more})


@pytest.mark.parametrize(
    ("labels", "relationships", "message"),
    [
        ((label(), label()), (), "Label Thing is declared twice; merge"),
        ((label("thing"),), (), "Label thing: write it in CamelCase"),
        ((label(base="Base"),), (), "Label Thing: base Base is not declared; declare it or drop base"),
        ((Label("Thing", "A thing.", (), tenant=False),), (), "Label Thing: has no id; add one"),
        ((label(tenant=True),), (), "Label Thing: belongs to a utility but lacks the property utility; add it"),
        ((label(indexed=("colour",)),), (), "Label Thing: indexes colour, which it lacks; declare"),
        ((label(unique=("colour",)),), (), "Label Thing: indexes colour, which it lacks; declare"),
        ((label("Thing", ID),), (), "Label Thing: property id is declared twice; drop one"),
        ((label("Thing", Property("aB", Kind.STRING, "x")),), (), "property aB: write it in snake_case"),
        ((label("Thing", Property("a", Kind.STRING, "")),), (), "property a has no description; say what it is"),
        ((label("Thing", Property("a", Kind.FLOAT, "x")),), (), "numeric property a states no unit; give one"),
        ((label("Thing", Property("a", Kind.FLOAT, "x", unit="ell")),), (), "unknown unit ell; use one of"),
        ((label("Thing", Property("a_m", Kind.FLOAT, "x", unit="s")),), (), "a_m is named for m but states s; rename"),
        ((label(), label("Kind", ID, base="Thing")), (), "Label Kind"),
        ((label(),), (Relationship("likes", ("Thing",), ("Thing",), "x"),), "write it in UPPER_CASE"),
        ((label(),), (Relationship("LIKES", ("Thing",), ("Other",), "x"),), "end Other is not a declared label"),
    ],
)
def test_a_contradiction_names_the_class_and_the_mend(
    labels: tuple[Label, ...], relationships: tuple[Relationship, ...], message: str
) -> None:
    with pytest.raises(SchemaProblem) as found:
        Schema(labels, relationships)

    assert message in str(found.value)


def test_a_complete_node_passes_the_write_door() -> None:
    more = {"install_date": date(2000, 1, 1), "created_at": datetime.now(UTC), "length_m": 3, "shape": [1.0, 2]}

    assert SCHEMA.require("Pipe", {**PIPE, **more}) == {**PIPE, **more}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"colour": "red"}, ("colour", "is not a property of Pipe")),
        ({"length_m": None}, ("length_m", "is required")),
        ({"length_m": "10"}, ("length_m", "must be float")),
        ({"length_m": True}, ("length_m", "must be float")),
        ({"length_m": float("inf")}, ("length_m", "must be a finite number")),
        ({"revision": 1.5}, ("revision", "must be integer")),
        ({"install_date": datetime.now(UTC)}, ("install_date", "must be date")),
        ({"created_at": datetime(2000, 1, 1)}, ("created_at", "must have a time zone")),  # noqa: DTZ001
        ({"shape": ["a"]}, ("shape", "must be list of floats")),
        ({"health": "poorly"}, ("health", "must be one of normal, warning, critical, unknown")),
        ({"name": "x" * 2_001}, ("name", "has more than 2000 characters")),
    ],
)
def test_the_write_door_names_the_field_at_fault(change: dict[str, Any], fault: tuple[str, str]) -> None:
    with pytest.raises(InvalidValue) as refused:
        SCHEMA.require("Pipe", {**PIPE, **change})

    assert [(f.field, f.message) for f in refused.value.fields] == [fault]


def test_an_update_may_leave_required_properties_out_but_not_unset_their_type() -> None:
    assert SCHEMA.require("Pipe", {"material": "pvc"}, partial=True)
    with pytest.raises(InvalidValue):
        SCHEMA.require("Pipe", {"material": 7}, partial=True)


def test_every_statement_can_be_repeated_and_components_share_one_constraint() -> None:
    statements = (*constraint_statements(SCHEMA), *index_statements(SCHEMA))

    assert all(" IF NOT EXISTS " in s for s in statements)
    names = [s.split(" IF NOT EXISTS")[0].split()[-1] for s in statements]
    assert len(names) == len(set(names))
    constrained = {s.split("(n:")[1].split(")")[0] for s in constraint_statements(SCHEMA)}
    assert constrained == {x.name for x in SCHEMA.labels if x.base is None}
    assert (
        "CREATE CONSTRAINT component_id_unique IF NOT EXISTS FOR (n:Component) REQUIRE (n.utility, n.id) IS UNIQUE"
        in statements
    )


def test_the_committed_files_are_what_the_declaration_generates() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "wnis_graph.schema", "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_check_names_what_drifted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(tmp_path)]) == 0
    assert main(["--root", str(tmp_path), "--check"]) == 0
    (tmp_path / "init-scripts" / "01-constraints.cypher").write_text("", encoding="utf-8")
    capsys.readouterr()

    assert main(["--root", str(tmp_path), "--check"]) == 1
    assert capsys.readouterr().err.startswith("init-scripts/01-constraints.cypher is out of date; run")


def test_the_reference_page_has_every_label_and_property() -> None:
    page = generated_files()["docs/reference/graph.md"]

    for declared in SCHEMA.labels:
        assert f"### {declared.name}\n" in page
        assert all(f"| `{p.name}` |" in page for p in declared.properties)


@pytest.mark.parametrize(
    ("name", "cypher", "message"),
    [
        ("Wrong", "RETURN $utility", "rename it"),
        ("test_schema.no_utility", "MATCH (n) RETURN n", r"does not use \$utility"),
        ("components.get", "RETURN $utility", "declared twice"),
    ],
)
def test_a_query_that_breaks_the_rules_cannot_be_declared(name: str, cypher: str, message: str) -> None:
    import wnis_graph.queries  # noqa: F401  # registers every query

    with pytest.raises(ValueError, match=message):
        Query(name, Access.READ, cypher, nothing)
