"""Clocks that differ: what another machine issued is understood or refused with the reason, and the system warns."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from wnis_api.user_tokens import UserTokens
from wnis_core.errors import NotAuthenticated
from wnis_core.tokens import read_internal_token

from tests.conftest import Neo4jServer

pytestmark = pytest.mark.system

LIBRARY = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), Path("libfaketime.so.1"))
_INTERNAL = """
import sys
from wnis_core.tokens import Caller, issue_internal_token
print(issue_internal_token(sys.argv[1], "ml", Caller("u", "me", frozenset(), "r")))
"""
_OF_A_PERSON = """
import sys
from wnis_api.user_tokens import Identity, UserTokens
print(UserTokens(sys.argv[1]).issue(Identity("1", "me", "u", frozenset(), None, 0)))
"""
_READINESS = """
import sys
from wnis_api.readiness import ReadinessProbe
from wnis_graph.runner import Runner, open_driver
runner = Runner(open_driver(*sys.argv[1:]))
probe = ReadinessProbe({"neo4j": runner.alive, "sql": lambda: False}, None, runner.clock_ahead_s)
known = probe.ask()
print(known.parts["neo4j"], *known.warnings, sep="\\n")
runner.close()
"""


def elsewhere(offset: str, script: str, *arguments: str) -> list[str]:
    """What a program prints on a machine whose clock is wrong by `offset`."""
    assert LIBRARY.is_file(), "Debian's package libfaketime is missing"
    wrong = {"LD_PRELOAD": str(LIBRARY), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", script, *arguments], env={**os.environ, **wrong},
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return ran.stdout.splitlines()


@pytest.mark.parametrize("offset", ["-80s", "+25s"])
def test_services_whose_clocks_differ_by_less_than_half_a_minute_understand_each_other(offset: str) -> None:
    secret = secrets.token_hex(32)
    (token,) = elsewhere(offset, _INTERNAL, secret)
    assert read_internal_token(secret, "ml", token).user == "me"


@pytest.mark.parametrize("offset", ["-150s", "+90s"])
def test_a_service_of_another_time_is_told_to_compare_the_clocks(offset: str) -> None:
    secret = secrets.token_hex(32)
    (token,) = elsewhere(offset, _INTERNAL, secret)
    with pytest.raises(NotAuthenticated, match="of another time") as refused:
        read_internal_token(secret, "ml", token)
    assert "clocks" in refused.value.mend


@pytest.mark.parametrize(("offset", "reason"), [("+20s", ""), ("+2h", "a clock was set back"), ("-2h", "has expired")])
def test_a_person_whose_token_is_of_another_time_signs_in_again(offset: str, reason: str) -> None:
    secret = secrets.token_hex(32)
    (token,) = elsewhere(offset, _OF_A_PERSON, secret)
    tokens = UserTokens(secret)
    if reason:
        with pytest.raises(NotAuthenticated, match=reason) as refused:
            tokens.read(token)
        assert "ign in again" in refused.value.mend
    else:
        assert tokens.read(token).username == "me"


@pytest.mark.parametrize(("offset", "warned"), [("+0s", []), ("+1h", ["3600 s ahead of"]), ("-1h", ["3600 s behind"])])
def test_readiness_warns_when_this_clock_and_that_of_the_graph_differ(
    neo4j_server: Neo4jServer, offset: str, warned: list[str]
) -> None:
    answers, *warnings = elsewhere(offset, _READINESS, neo4j_server.uri, neo4j_server.user, neo4j_server.password)
    assert answers == "True"
    # a second more or less is between question and answer
    found = [words.replace("3599", "3600").replace("3601", "3600") for words in warnings]
    assert found == [f"The clock of this machine is {words} the graph's: have NTP set both." for words in warned]
