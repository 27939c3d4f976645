"""A newer file on a network that is there: said beforehand, done at once, recorded; a killed import leaves nothing."""

from __future__ import annotations

import re
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import neo4j
import pytest
from wnis_core.clock import now
from wnis_core.errors import Conflict
from wnis_graph.repositories.components import ComponentRepository
from wnis_graph.repositories.networks import NetworkRepository
from wnis_graph.runner import Runner, open_driver
from wnis_graph.scope import Scope

from tests.component.graph.twin import portrait
from tests.component.simulator.service import SimulatorService, wait_for
from tests.conftest import Neo4jServer

LIBRARY = Path(find_spec("wntr").origin).parent / "library" / "networks"  # type: ignore[union-attr,arg-type]
NET1 = (LIBRARY / "Net1.inp").read_bytes()


def edited(content: bytes, *edits: tuple[str, str]) -> bytes:
    text = content.decode()
    for pattern, replacement in edits:
        text, number = re.subn(pattern, replacement, text, count=1, flags=re.MULTILINE)
        assert number, pattern
    return text.encode()


NEWER = edited(
    NET1,
    (r"^( 21\s+21\s+22\s+5280\s+)10", r"\g<1>12"),
    (r"^ 122\s+22\s+32.*\n", ""),
    (r"^( 31\s+)31(\s+32.*)$", r"\g<1>22\2"),
    (r"^( 32\s+710\s+100.*)$", r"\1\n 33 700 50\n"),
    (r"^( 121\s+21\s+31.*)$", r"\1\n 331 32 33 900 8 100 0 Open\n 332 31 33 900 8 100 0 Open\n"),
)  # fmt: skip


@pytest.fixture
def driver(neo4j_server: Neo4jServer) -> Any:
    with open_driver(neo4j_server.uri, neo4j_server.user, neo4j_server.password) as opened:
        yield opened


def whole(driver: neo4j.Driver, scope: Scope) -> list[str]:
    """Everything of the utility but its jobs, to compare before and after."""
    with driver.session() as session, session.begin_transaction() as tx:
        return [line for line in portrait(tx, scope.utility) if "Job" not in line]


def listed(job: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["action"], one["id"]) for one in job["result"]["differences"]}


DIFFERENCE = {
    ("add", "net1:junction:33"), ("add", "net1:pipe:331"), ("add", "net1:pipe:332"), ("change", "net1:pipe:21"),
    ("change", "net1:pipe:31"), ("remove", "net1:pipe:122"),
}  # fmt: skip


def test_a_dry_run_says_what_a_newer_file_would_change_and_the_import_does_that(
    simulator: SimulatorService, runner: Runner, scope: Scope, driver: neo4j.Driver
) -> None:
    simulator.import_file(scope, "net1", NET1, "job-1")
    before = whole(driver, scope)
    dry = simulator.import_file(scope, "net1", NEWER, "job-2", dry_run="true")
    assert listed(dry) == DIFFERENCE
    assert whole(driver, scope) == before
    changed = {one["id"]: one["properties"] for one in dry["result"]["differences"] if one["action"] == "change"}
    assert changed["net1:pipe:21"] == {
        "diameter_m": {"old": pytest.approx(10 * 0.0254), "new": pytest.approx(12 * 0.0254)}
    }
    assert changed["net1:pipe:31"]["start"] == {"old": "net1:junction:31", "new": "net1:junction:22"}
    done = simulator.import_file(scope, "net1", NEWER, "job-3")
    assert done["result"]["differences"] == dry["result"]["differences"]
    assert (done["result"]["created"], done["result"]["updated"], done["result"]["removed"]) == (3, 2, 1)
    again = simulator.import_file(scope, "net1", NEWER, "job-4", dry_run="true")
    assert (listed(again), again["result"]["revision"]) == (set(), done["result"]["revision"])


def test_who_changed_what_and_when_can_be_followed_back(
    simulator: SimulatorService, runner: Runner, scope: Scope
) -> None:
    simulator.import_file(scope, "net1", NET1, "job-1")
    between = now()
    simulator.import_file(scope, "net1", NEWER, "job-2")
    components, networks = ComponentRepository(runner), NetworkRepository(runner)
    [change] = components.history(scope, "net1:pipe:21")
    assert (change.action, change.recorded_by) == ("import", "tester")
    assert (change.old["diameter_m"], change.new["diameter_m"]) == (pytest.approx(0.254), pytest.approx(0.3048))
    [moved] = components.history(scope, "net1:pipe:31")
    assert (moved.old["start"], moved.new["start"]) == ("net1:junction:31", "net1:junction:22")
    assert [c.action for c in components.history(scope, "net1:pipe:122")] == ["retire"]
    assert [c.action for c in components.history(scope, "net1:junction:33")] == ["create"]
    past, present = networks.get_as_of(scope, "net1", between), networks.get(scope, "net1")
    assert (past.revision, past.counts["Pipe"], past.counts["Junction"]) == (1, 12, 9)
    assert (present.revision, present.counts["Pipe"], present.counts["Junction"]) == (2, 13, 10)
    assert past.source_sha256 != present.source_sha256
    assert components.get_as_of(scope, "net1:pipe:21", between).properties["diameter_m"] == pytest.approx(0.254)


def test_the_network_as_of_a_moment_counts_what_was_there_through_retirement_and_return(
    simulator: SimulatorService, runner: Runner, scope: Scope
) -> None:
    simulator.import_file(scope, "net1", NET1, "job-1")
    components, networks = ComponentRepository(runner), NetworkRepository(runner)
    moments, pipes = [now()], [12]
    components.retire(scope, "net1:pipe:122")
    moments.append(now())
    pipes.append(11)
    components.patch(scope, "net1:pipe:122", {"status": "open"})
    moments.append(now())
    pipes.append(12)
    components.patch(scope, "net1:pipe:122", {"diameter_m": 0.2})
    seen = [networks.get_as_of(scope, "net1", moment) for moment in moments]
    assert [network.counts["Pipe"] for network in seen] == pipes
    assert [network.revision for network in seen] == [1, 2, 3]


def test_an_export_names_controls_of_what_was_removed_until_told_to_drop_them(
    simulator: SimulatorService, runner: Runner, scope: Scope
) -> None:
    simulator.import_file(scope, "net1", NET1, "job-1")
    ComponentRepository(runner).retire(scope, "net1:pump:9")
    with pytest.raises(Conflict, match="2 controls, rules or options") as caught:
        simulator.call(scope, "GET", "/networks/net1/inp")
    assert "LINK 9 OPEN IF NODE 2 BELOW 110" in caught.value.fields[0].message
    made = simulator.call(scope, "GET", "/networks/net1/inp", params={"orphans": "drop"})
    assert [one["removed"] for one in made["dropped"]] == ["9", "9"]
    job = simulator.simulate(scope, "net1", "run-1")
    assert sum("Left out, because 9 was taken out" in words for words in job["result"]["warnings"]) == 2


def test_strict_refuses_what_would_be_misread_and_lists_every_line(simulator: SimulatorService, scope: Scope) -> None:
    odd = edited(NET1, (r"^( 21\s+21\s+22\s[^;\r\n]*)", r"\1 and more"), (r"^\[END\]", "[ROUGHNESS]\n 21 90\n[END]"))
    loose = simulator.import_file(scope, "net1", odd, "job-1", dry_run="true")
    assert loose["state"] == "succeeded", loose["error"]
    said = {(r["section"], r["line"]) for r in loose["result"]["remarks"] if r["severity"] == "warning"}
    assert {section for section, _ in said} == {"PIPES", "ROUGHNESS"}
    strict = simulator.import_file(scope, "net1", odd, "job-2", strict="true", dry_run="true")
    assert strict["state"] == "failed"
    assert len(strict["error"]["errors"]) == 2
    assert strict["error"]["details"]["section"] == "PIPES"


def test_an_import_killed_while_it_writes_leaves_the_network_as_it_was_and_is_done_after_the_restart(
    neo4j_server: Neo4jServer, runner: Runner, scope: Scope, driver: neo4j.Driver, tmp_path: Path
) -> None:
    service = SimulatorService(tmp_path / "home", neo4j_server)
    service.start()
    try:
        before, after = ((LIBRARY / f"{name}.inp").read_bytes() for name in ("Net3", "Net6"))
        service.import_file(scope, "town", before, "job-1")
        was = whole(driver, scope)
        service.call(
            scope, "POST", "/imports", files={"file": ("town.inp", after)},
            data={"network_id": "town", "job_id": "job-2"},
        )  # fmt: skip
        wait_for(lambda: _writing(driver), 60)
        service.kill()
        # the server takes back what a client that is gone had not committed
        time.sleep(2)
        assert whole(driver, scope) == was
        service.start()
        job = service.finished_job(scope, "job-2")
        assert (job["state"], job["result"]["components"]["pipes"]) == ("succeeded", 3829)
        assert NetworkRepository(runner).get(scope, "town").counts["Pipe"] == 3829
    finally:
        service.stop()


def _writing(driver: neo4j.Driver) -> bool:
    """Whether components are being created right now, in a transaction that is not committed yet."""
    with driver.session() as session:
        found = session.run("SHOW TRANSACTIONS YIELD currentQuery, elapsedTime RETURN currentQuery")
        return any("UNWIND $rows" in (row[0] or "") and "CREATE (c:Component" in row[0] for row in found)
