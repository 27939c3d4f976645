"""The demonstration loads through a real API, and every command of the guide does what its page says."""

from __future__ import annotations

import json
import os
import stat
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from wnis_ops.client import ApiClient, part
from wnis_ops.demo.load import load_demo

from tests.conftest import Neo4jServer
from tests.guide_blocks import ROOT, Block, marked
from tests.live import LiveStack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Loaded:
    stack: LiveStack
    client: ApiClient
    token: str
    messages: list[tuple[float, str]]
    seconds: dict[str, float]


@pytest.fixture(scope="module")
def loaded(neo4j_server: Neo4jServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    with LiveStack(tmp_path_factory.mktemp("home"), neo4j_server) as stack:
        admin = stack.sign_in()
        client = ApiClient(stack.url, admin.token)
        messages: list[tuple[float, str]] = []
        outcome = load_demo(client, lambda fraction, message: messages.append((fraction, message)), stack.home)
        assert not outcome.already
        yield Loaded(stack, client, admin.token, messages, outcome.seconds)


def count(loaded: Loaded, cypher: str) -> int:
    """One number; other test runs may share the graph, and the admin of a platform sees all utilities."""
    found = loaded.client.post("/graph/query", {"cypher": cypher, "parameters": {"ours": loaded.stack.utility}})
    return int(found["rows"][0][0])


def test_progress_never_goes_back_and_ends_at_one(loaded: Loaded) -> None:
    fractions = [fraction for fraction, _ in loaded.messages]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_everything_is_there_and_labelled_synthetic(loaded: Loaded) -> None:
    network = loaded.client.get("/networks/ky4")
    assert network["synthetic"] is True
    assert network["crs"] == "EPSG:3089"
    assert network["counts"]["Pipe"] == 1156
    incidents = list(loaded.client.pages("/incidents"))
    assert len(incidents) > 1000
    assert all(i["synthetic"] and i["components"] for i in incidents)
    feedback = list(loaded.client.pages("/feedback"))
    assert len(feedback) == 6
    assert all(f["synthetic"] for f in feedback)
    pipe = loaded.client.get(f"/components/{part(incidents[0]['components'][0]['id'])}")
    assert pipe["network"] == "ky4"


def test_a_break_in_the_demonstration_is_isolated_by_a_few_valves(loaded: Loaded) -> None:
    ranking = loaded.client.get("/predictions/failure/ranking", top=20, horizon=365, network="ky4")["ranking"]
    assert {r["component_type"] for r in ranking} <= {"Pipe", "Pump", "Valve"}
    answers = [
        loaded.client.post("/networks/ky4/isolation", {"component_id": r["component_id"]}) for r in ranking
    ]  # fmt: skip
    # a segment of 20 mains or more would be a network without valves
    assert all(1 <= len(a["valves"]) <= 15 and len(a["segment"]["components"]) < 60 for a in answers)
    # some mains are the only way to a whole quarter
    assert statistics.median(a["customers"] for a in answers) < 1_000
    quality = loaded.client.get("/networks/ky4/quality")
    assert quality["score"] > 90, quality["categories"]


def test_it_lies_in_kentucky(loaded: Loaded) -> None:
    shapes = loaded.client.get("/networks/ky4/geojson")
    points = [f["geometry"]["coordinates"] for f in shapes["features"] if f["geometry"]["type"] == "Point"]
    assert all(-85.7 < x < -85.4 and 37.9 < y < 38.2 for x, y in points)


def test_a_risky_pipe_can_be_followed_to_where_its_number_came_from(loaded: Loaded) -> None:
    ranking = loaded.client.get("/predictions/failure/ranking", top=5, horizon=365, network="ky4")["ranking"]
    assert len(ranking) == 5
    first = loaded.client.get("/predictions/failure", component_id=ranking[0]["component_id"], horizon=365)
    assert first["factors"]
    why = loaded.client.get(f"/predictions/{part(first['prediction_id'])}/why")
    assert why["model"]["metrics"]
    assert why["incidents"]


def test_the_model_recovers_what_the_history_was_drawn_from(loaded: Loaded) -> None:
    """Old cast iron leads the list: nobody told the model the rates."""
    ranking = loaded.client.get("/predictions/failure/ranking", top=50, by="per_km", network="ky4")["ranking"]
    materials = [loaded.client.get(f"/components/{part(r['component_id'])}")["properties"]["material"] for r in ranking]
    assert materials.count("cast_iron") > 40


def test_accounts_have_random_passwords_for_the_owner_alone(loaded: Loaded) -> None:
    file = loaded.stack.home / "secrets" / "demo-accounts.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    accounts = json.loads(file.read_text())
    assert len(set(accounts.values())) == len(accounts) == 5
    roles = {loaded.stack.sign_in(name, password).user["role"] for name, password in accounts.items()}
    assert roles == {"operator", "maintenance", "engineer", "manager", "analyst"}


def test_a_second_load_finds_what_is_there(loaded: Loaded) -> None:
    before = [len(list(loaded.client.pages(path))) for path in ("/incidents", "/feedback", "/admin/users")]
    again = load_demo(loaded.client, lambda _fraction, _message: None, loaded.stack.home)
    assert again.already
    assert [len(list(loaded.client.pages(path))) for path in ("/incidents", "/feedback", "/admin/users")] == before


def test_an_interrupted_load_goes_on_and_duplicates_nothing(loaded: Loaded) -> None:
    note = loaded.stack.home / "demo" / "demo.json"
    kept = note.read_text()
    before = [len(list(loaded.client.pages(path))) for path in ("/incidents", "/feedback", "/admin/users")]
    stopped = json.loads(kept)
    stopped["done"] = [s for s in stopped["done"] if s not in ("register", "incidents", "people", "feedback", "index")]
    note.write_text(json.dumps(stopped))
    again = load_demo(loaded.client, lambda _fraction, _message: None, loaded.stack.home)
    assert set(again.seconds) == {"register", "incidents", "people", "feedback", "index"}
    assert [len(list(loaded.client.pages(path))) for path in ("/incidents", "/feedback", "/admin/users")] == before
    assert set(json.loads(note.read_text())["done"]) == set(json.loads(kept)["done"])


def test_a_load_from_another_home_finds_what_is_there(loaded: Loaded, tmp_path: Path) -> None:
    def runs() -> list[int]:
        models = loaded.client.get("/models")["models"]
        return [len(list(loaded.client.pages(path))) for path in ("/simulations", "/feedback")] + [len(models)]

    before = runs()
    assert load_demo(loaded.client, lambda _fraction, _message: None, tmp_path).already
    assert runs() == before


@pytest.fixture(scope="module")
def workplace(loaded: Loaded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guide")
    (folder / "config").symlink_to(ROOT / "config")
    (folder / "practice").mkdir()
    for name in ("assets", "incidents"):
        (block,) = marked(f"toml mapping {name}", "your-own-network.md")
        (folder / "practice" / f"{name}.toml").write_text(block.text, encoding="utf-8")
    return folder


def run(loaded: Loaded, workplace: Path, block: Block) -> str:
    environment = {
        **loaded.stack.environment,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "WNIS_URL": loaded.stack.url,
        "WNIS_TOKEN": loaded.token,
        "COLUMNS": "200",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text], cwd=workplace, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{block.page.name}:{block.line}\n{block.text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize(
    "block",
    marked("sh testable demo", "quickstart.md", "concepts.md", "cypher.md"),
    ids=lambda block: f"{block.page.stem}-{block.line}",
)
def test_commands_on_the_demonstration(loaded: Loaded, workplace: Path, block: Block) -> None:
    assert len(run(loaded, workplace, block).strip().splitlines()) > 3


def test_ones_own_network_from_file_to_prediction(loaded: Loaded, workplace: Path) -> None:
    for block in marked("sh testable own", "your-own-network.md"):
        run(loaded, workplace, block)
    assert loaded.client.get("/networks/town")["counts"]["Pipe"] == 1156
    pipes = "MATCH (p:Pipe {network: 'town', utility: $ours})"
    dated = f"{pipes} WHERE p.install_date IS NOT NULL AND p.material IS NOT NULL RETURN count(p)"
    assert count(loaded, dated) == 1156
    assert (
        count(
            loaded,
            "MATCH (p:Pipe {network: 'town', utility: $ours})<-[:AFFECTED]-(i:Incident) RETURN count(DISTINCT i)",
        )
        > 500
    )
    assert (
        count(loaded, "MATCH (:SimulationRun {network: 'town', utility: $ours, state: 'succeeded'}) RETURN count(*)")
        == 1
    )
    assert (
        count(
            loaded, "MATCH (:Prediction)-[:ABOUT]->(p:Pipe {network: 'town', utility: $ours}) RETURN count(DISTINCT p)"
        )
        == 1156
    )


def test_commands_without_a_server(loaded: Loaded, workplace: Path) -> None:
    for block in marked("sh testable offline", "your-own-network.md"):
        run(loaded, workplace, block)
    scores = (workplace / "practice" / "scores.csv").read_text().splitlines()
    assert len(scores) == 1157
    assert (workplace / "practice" / "run" / "nodes.parquet").exists()
