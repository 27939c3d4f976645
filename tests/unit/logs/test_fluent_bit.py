"""What Fluent Bit and the stores are told is complete and of one piece; the programs themselves are not here."""

from __future__ import annotations

import fnmatch
import json
import re
from typing import Any

import pytest
import yaml
from wnis_core.log_fields import FIELDS

from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "monitoring" / "fluent-bit"
STORES = ("elasticsearch", "opensearch", "loki")
_PLUGINS = {"inputs": {"tail"}, "filters": {"parser", "modify", "lua"}, "outputs": {"es", "opensearch", "loki"}}
_MULTILINE_BUILT_IN = {"docker", "cri", "python", "java", "go"}


def read(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((FOLDER / name).read_text()))


def assembled(store: str) -> dict[str, list[dict[str, Any]]]:
    """The pipeline as Fluent Bit puts it together."""
    entry = read(f"{store}.yaml")
    pipeline: dict[str, list[dict[str, Any]]] = {"inputs": [], "filters": [], "outputs": []}
    for part in [*(read(name) for name in entry["includes"]), entry]:
        for kind, plugins in part.get("pipeline", {}).items():
            pipeline[kind] += plugins
    return pipeline


@pytest.mark.parametrize("store", STORES)
def test_every_plugin_parser_and_script_that_is_named_exists(store: str) -> None:
    pipeline = assembled(store)
    service = read("inputs.yaml")["service"]
    parsers = {parser["name"] for parser in read(service["parsers_file"])["parsers"]}
    for kind, plugins in pipeline.items():
        assert plugins, kind
        for plugin in plugins:
            assert plugin["name"] in _PLUGINS[kind]
            assert plugin.get("parser", "ecs") in parsers
            for name in str(plugin.get("multiline.parser", "cri")).split(", "):
                assert name in _MULTILINE_BUILT_IN
            if plugin["name"] == "lua":
                assert f"function {plugin['call']}(" in (FOLDER / plugin["script"]).read_text()


@pytest.mark.parametrize("store", STORES)
def test_every_line_that_is_read_is_redacted_and_sent(store: str) -> None:
    pipeline = assembled(store)
    for source in pipeline["inputs"]:
        tag = source["tag"].replace("*", "var.lib.x")
        assert [out for out in pipeline["outputs"] if fnmatch.fnmatch(tag, out["match"])], tag
        # the last filter: nothing that comes after it could bring a secret back
        assert pipeline["filters"][-1]["name"] == "lua"
        assert fnmatch.fnmatch(tag, pipeline["filters"][-1]["match"])


def test_every_variable_is_in_the_example_and_none_is_there_for_nothing() -> None:
    used = {v for path in FOLDER.glob("*.yaml") for v in re.findall(r"\$\{(\w+)\}", path.read_text())}
    given = dict(line.split("=", 1) for line in (FOLDER / "example.env").read_text().splitlines() if "=" in line)
    assert used == given.keys()
    assert given["WNIS_LOG_PASSWORD"] == ""


def test_the_index_knows_every_field_and_accepts_no_others() -> None:
    mappings = json.loads((FOLDER / "elasticsearch" / "component-template.json").read_text())["template"]["mappings"]
    assert mappings["dynamic"] is False
    for field in FIELDS:
        found = mappings
        for part in field.name.split("."):
            found = found["properties"][part]
        assert found["type"] == field.kind


def test_nginx_writes_known_fields_only() -> None:
    text = (REPOSITORY / "web-interface" / "nginx" / "http.conf").read_text()
    log_format = text[text.index("log_format ecs") :]
    names = set(re.findall(r'"([@a-z_.]+)":', log_format))
    assert {"@timestamp", "http.request.id", "client.address"} <= names <= {field.name for field in FIELDS}
    assert not re.search(
        r"\$(request|args|query_string|request_uri|http_authorization|http_cookie|http_referer)\b", log_format
    )


def test_the_templates_name_each_other_and_every_store_keeps_a_month() -> None:
    stores = {name: json.loads((FOLDER / name / "index-template.json").read_text()) for name in STORES[:2]}
    for template in stores.values():
        assert template["composed_of"] == ["wnis-ecs"]
        assert fnmatch.fnmatch("logs-wnis-default", template["index_patterns"][0])
        assert template["data_stream"] == {}
    for store in STORES[:2]:
        assert assembled(store)["outputs"][0]["index"] == "logs-wnis-default"
    guide = (REPOSITORY / "docs" / "guide" / "operations" / "logs-and-traces.md").read_text()
    for path in ("_ilm/policy/wnis-logs", "_component_template/wnis-ecs", "_index_template/wnis-logs"):
        assert path in guide
    assert stores["elasticsearch"]["template"]["settings"]["index.lifecycle.name"] == "wnis-logs"
    phases = json.loads((FOLDER / "elasticsearch" / "ilm-policy.json").read_text())["policy"]["phases"]
    assert list(phases) == ["hot", "warm", "delete"]
    assert phases["delete"]["min_age"] == "30d"
    states = json.loads((FOLDER / "opensearch" / "ism-policy.json").read_text())["policy"]["states"]
    names = {state["name"] for state in states}
    goals = [t for state in states for t in state["transitions"]]
    assert {goal["state_name"] for goal in goals} <= names
    assert [goal["conditions"]["min_index_age"] for goal in goals] == ["30d"]
    loki = read("loki/retention.yaml")
    assert loki["limits_config"]["retention_period"] == f"{30 * 24}h"
    assert loki["compactor"]["retention_enabled"] is True
