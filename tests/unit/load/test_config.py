"""A configuration says what is wrong with it, by field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from wnis_core.errors import BadRequest, InvalidValue, NotFound
from wnis_ops.bench.api.config import BenchConfig, read_config
from wnis_ops.bench.api.drawing import prepared_request

from tests.conftest import REPOSITORY


def document(**changed: Any) -> dict[str, Any]:
    return {
        "name": "one",
        "endpoints": [
            {"name": "component", "path": "/components/{id}", "parameters": {"id": {"from": "components"}}},
            {"name": "networks", "path": "/networks"},
        ],
        "stages": [{"name": "few", "clients": 4, "duration_s": 2}],
        **changed,
    }


def read(tmp_path: Path, content: Any) -> BenchConfig:
    file = tmp_path / "bench.yaml"
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return read_config(file)


def stage(**fields: Any) -> list[dict[str, Any]]:
    return [{"name": "few", "clients": 4, "duration_s": 2, **fields}]


def test_the_committed_configuration_is_one() -> None:
    config = read_config(REPOSITORY / "config" / "bench.yaml")
    assert {s.kind for s in config.stages} == {"steady", "overload"}


@pytest.mark.parametrize(
    ("changed", "field", "says"),
    [
        ({"stages": stage(clients=0)}, "stages.0.clients", "greater than or equal to 1"),
        ({"stages": stage(clients="many")}, "stages.0.clients", "valid integer"),
        ({"stages": stage(colour="red")}, "stages.0.colour", "not permitted"),
        ({"stages": stage(kind="storm")}, "stages.0.kind", "'steady' or 'overload'"),
        ({"stages": stage(endpoints=["nothing"])}, "the file", "stages.0.endpoints names nothing"),
        ({"stages": stage(beside_bare_view=True)}, "the file", "stages.0.beside_bare_view"),
        ({"stages": stage(thresholds={"recovery_s": 5})}, "stages.0", "overload stage"),
        ({"stages": stage(thresholds={"share_of_bare_view": 0.5})}, "stages.0", "needs beside_bare_view"),
        ({"stages": stage(think_time={"min_s": 2, "max_s": 1})}, "stages.0.think_time", "max_s is below min_s"),
        ({"stages": stage() * 2}, "stages", "few occurs twice"),
        ({"endpoints": []}, "endpoints", "at least 1"),
        ({"endpoints": [{"name": "a", "path": "/x/{id}"}]}, "endpoints.0", "no parameter named id"),
        ({"endpoints": [{"name": "a", "path": "x"}]}, "endpoints.0.path", "pattern"),
        (
            {"endpoints": [{"name": "a", "path": "/x", "parameters": {"id": {"values": [1]}}}]},
            "endpoints.0",
            "occurs nowhere",
        ),
        (
            {"endpoints": [{"name": "a", "path": "/{id}", "parameters": {"id": {}}}]},
            "endpoints.0.parameters.id",
            "either from or values",
        ),
        ({"timeout_s": 0}, "timeout_s", "greater than 0"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, changed: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        read(tmp_path, document(**changed))
    (problem,) = raised.value.fields
    assert problem.field == field
    assert says in problem.message


def test_every_wrong_field_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue) as raised:
        read(tmp_path, document(timeout_s=-1, stages=stage(clients=-1)))
    assert {p.field for p in raised.value.fields} == {"timeout_s", "stages.0.clients"}


def test_a_file_that_is_no_yaml_says_in_which_line(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="line 2"):
        read(tmp_path, "name: one\nstages: [}\n")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"nowhere\.yaml"):
        read_config(tmp_path / "nowhere.yaml")


def test_values_take_the_place_of_placeholders_as_what_they_are() -> None:
    config = BenchConfig.model_validate(
        document(
            endpoints=[
                {
                    "name": "search",
                    "method": "POST",
                    "path": "/networks/{network}/search",
                    "query": {"network": "{network}", "deep": True},
                    "body": {"query": "{words}", "limits": ["{limit}", 3], "text": "a {words} b"},
                    "parameters": {
                        "network": {"from": "networks"},
                        "words": {"from": "words"},
                        "limit": {"values": [5]},
                    },
                }
            ]
        )
    )
    made = prepared_request(config.endpoints[0], {"network": "a/b %", "words": "crack in frost", "limit": 5})
    assert made.path == "/networks/a%2Fb%20%25/search?network=a%2Fb%20%25&deep=true"
    assert made.body == '{"query": "crack in frost", "limits": [5, 3], "text": "a {words} b"}'
