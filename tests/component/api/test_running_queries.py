"""The place that a query takes, on the real databases: one for each person, and never lost to a dead worker."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from wnis_api.running_queries import RunningQueries, RunningQuery
from wnis_api.sql import Database
from wnis_core.errors import NotFound, TooMany


def _query(user: str, began_s_ago: float = 0.0) -> RunningQuery:
    return RunningQuery(f"query-{uuid.uuid4().hex}", "town", user, user, "RETURN 1", time.time() - began_s_ago)


def _user() -> str:
    return f"user-{uuid.uuid4().hex}"


def test_of_many_who_come_at_once_one_takes_the_place(database: Database) -> None:
    running, user = RunningQueries(database, lambda _: False, 16.0), _user()

    def begin(_: int) -> bool:
        try:
            running.begin(_query(user))
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(begin, range(6))) == 1
    running.begin(_query(_user()))


@pytest.mark.parametrize("works", [True, False])
def test_the_place_of_a_dead_worker_is_free_when_the_graph_has_ended_its_query(database: Database, works: bool) -> None:
    running, user = RunningQueries(database, lambda _: works, 16.0), _user()
    running.begin(_query(user, began_s_ago=60.0))
    if works:
        with pytest.raises(TooMany, match="not ended"):
            running.begin(_query(user))
    else:
        running.begin(_query(user))


def test_a_place_is_kept_while_the_graph_works_on(database: Database) -> None:
    graph_works = True
    running, user = RunningQueries(database, lambda _: graph_works, 16.0), _user()
    first = _query(user)
    running.begin(first)
    running.end(first.query_id)
    with pytest.raises(TooMany, match="not ended"):
        running.begin(_query(user))
    assert [query.query_id for query in running.of(user, "town", frozenset())] == [first.query_id]
    graph_works = False
    # nobody has to ask again for it to be gone
    assert running.of(user, "town", frozenset()) == []
    running.begin(_query(user))


def test_cancelling_is_for_the_owner_the_admin_of_the_utility_and_platform_admins(database: Database) -> None:
    running, user = RunningQueries(database, lambda _: True, 16.0), _user()
    query = _query(user)
    running.begin(query)
    for utility, role in (("town", "analyst"), ("other", "admin")):
        with pytest.raises(NotFound):
            running.cancel(query.query_id, _user(), utility, frozenset({role}))
    assert not running.is_cancelled(query.query_id)
    assert running.cancel(query.query_id, _user(), "town", frozenset({"admin"})).user_id == user
    assert running.is_cancelled(query.query_id)
    assert running.cancel(query.query_id, _user(), "other", frozenset({"platform_admin", "admin"})).user_id == user
    assert running.cancel(query.query_id, user, "town", frozenset({"analyst"})).user_id == user
