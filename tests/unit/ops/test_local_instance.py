"""What an instance decides before any process is started."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path

import pytest
from wnis_core.errors import BadRequest, NotFound
from wnis_neo4j.processes import ProcessMark
from wnis_ops.local import orders, ports
from wnis_ops.local.child import Backoff
from wnis_ops.local.instance import options_from, options_text, status
from wnis_ops.local.options import UpOptions
from wnis_ops.local.secret_files import SECRETS, ensure_secrets
from wnis_ops.local.services import services
from wnis_ops.place import Home


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.org"])
def test_listening_for_others_without_tls_is_refused(host: str) -> None:
    with pytest.raises(BadRequest, match="passwords would travel"):
        UpOptions(host=host).check()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_needs_no_tls(host: str) -> None:
    UpOptions(host=host).check()


def test_half_a_tls_pair_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="go together"):
        UpOptions(tls_certificate=tmp_path / "cert.pem").check()
    with pytest.raises(NotFound, match=r"cert\.pem"):
        UpOptions(tls_certificate=tmp_path / "cert.pem", tls_key=tmp_path / "key.pem").check()


def test_options_reach_a_background_start_unchanged() -> None:
    options = UpOptions(8443, "0.0.0.0", Path("/a/cert.pem"), Path("/a/key.pem"), demo=True)
    assert options_from(options_text(options)) == options


def test_secrets_are_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    variables = ensure_secrets(folder, {})
    first = {name: Path(file).read_text() for name, file in variables.items()}
    assert {name.removesuffix("_FILE") for name in first} == set(SECRETS)
    assert all(len(bytes.fromhex(text)) == 32 for text in first.values())
    assert len(set(first.values())) == len(SECRETS)
    assert {stat.S_IMODE(os.stat(file).st_mode) for file in variables.values()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    again = ensure_secrets(folder, {})
    assert {name: Path(file).read_text() for name, file in again.items()} == first


def test_a_secret_given_by_the_environment_is_not_generated(tmp_path: Path) -> None:
    variables = ensure_secrets(tmp_path, {"WNIS_JWT_SECRET": "x" * 40, "WNIS_SIGNING_KEY_FILE": "/run/secrets/key"})
    assert set(variables) == {"WNIS_INTERNAL_SECRET_FILE"}


def test_internal_ports_are_remembered_and_replaced_when_taken(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = ports.choose(file, 8080)
    assert ports.choose(file, 8080) == first
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first["ml"]))
        taken.listen()
        second = ports.choose(file, 8080)
    assert second["ml"] != first["ml"]
    assert second["neo4j"] == first["neo4j"]
    assert len(set(second.values())) == 4


def test_a_spoilt_port_file_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    file.write_text("[1, 2")
    assert set(ports.choose(file, 9000)) == {"api", "neo4j", "simulator", "ml"}


def test_services_that_are_started_beside_others_get_ports_of_their_own(tmp_path: Path) -> None:
    first = ports.choose(tmp_path / "ports.json", 8080)
    beside = ports.successors(first)
    assert (beside["api"], beside["neo4j"]) == (8080, first["neo4j"])
    assert len({*first.values(), beside["ml"], beside["simulator"]}) == 6


def test_an_order_is_taken_once_and_its_outcome_is_told_to_whoever_asked(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (tmp_path / "run").mkdir()
    assert orders.take(home) is None
    taken: list[orders.Order | None] = []

    def supervise() -> None:
        if (order := orders.take(home)) is not None:
            taken.append(order)
            orders.answer(home, orders.Outcome(order.id, False, reason="no room"))

    outcome = orders.ask(home, orders.Do.SWITCH, "/release/.venv/bin/python3", tick=supervise)
    assert (outcome.done, outcome.reason) == (False, "no room")
    assert [order.python for order in taken if order] == ["/release/.venv/bin/python3"]
    assert orders.take(home) is None


def test_restarts_wait_longer_each_time_until_a_steady_minute() -> None:
    backoff = Backoff()
    assert [backoff.next(0.1) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert backoff.next(61) == 1


def test_a_home_without_an_instance_is_stopped(tmp_path: Path) -> None:
    now = status(Home(tmp_path))
    assert (now.state, now.url, now.pids) == ("stopped", None, {})


def test_a_killed_supervisor_counts_as_stopped_although_it_never_said_so(tmp_path: Path) -> None:
    home = Home(tmp_path)
    own = ProcessMark.of(os.getpid())
    assert own is not None
    home.state_file.parent.mkdir()
    # the number of a living process that started at another time: not the supervisor
    document = {"state": "ready", "url": "http://x", "pids": {"supervisor": own.pid}, "started_at": own.started_at - 99}
    home.state_file.write_text(json.dumps(document))
    assert status(home).state == "stopped"
    home.state_file.write_text(json.dumps({**document, "started_at": own.started_at}))
    assert status(home).state == "ready"


def test_no_service_gets_a_secret_that_it_does_not_need(tmp_path: Path) -> None:
    secret_files = ensure_secrets(tmp_path / "secrets", {})
    chosen = ports.choose(tmp_path / "p.json", 8080)
    made = services(Home(tmp_path), UpOptions(), chosen, {}, secret_files, {}, (3, 4), "metrics")
    held = {s.name: {n for n in s.environ if n.endswith("_FILE")} for s in made}
    assert held == {
        "simulator": {"WNIS_INTERNAL_SECRET_FILE"},
        "ml": {"WNIS_INTERNAL_SECRET_FILE", "WNIS_SIGNING_KEY_FILE"},
        "api": {"WNIS_INTERNAL_SECRET_FILE", "WNIS_JWT_SECRET_FILE"},
    }


def test_the_first_password_is_shown_once(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.first_password_file.parent.mkdir()
    home.first_password_file.write_text("only once")
    assert home.take_first_password() == "only once"
    assert home.take_first_password() is None
