"""Credentials, sessions, throttle and receipts on the real databases."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from wnis_api.api_keys import ApiKeys
from wnis_api.configuration import DEFAULTS, Configuration
from wnis_api.credentials import Credentials
from wnis_api.receipts import Receipts, StoredAnswer
from wnis_api.sessions import Sessions
from wnis_api.sql import Database, pending, upgrade
from wnis_api.sql.tables import metadata
from wnis_api.throttle import FREE_PER_ACCOUNT, FREE_PER_ADDRESS, SignInThrottle
from wnis_core.errors import Conflict, Failure, InvalidValue, NotAuthenticated, TooMany, Unavailable, WnisError

PASSWORD = "a lake of tin drums"


def _account(database: Database) -> str:
    user = f"user-{uuid.uuid4().hex}"
    Credentials(database).add(user, user, PASSWORD)
    return user


def _fresh() -> str:
    return uuid.uuid4().hex


def _at(database: Database) -> str:
    with database.read() as connection:
        return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())


def _set(database: Database, revision: str) -> None:
    with database.write() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")


def test_upgrading_twice_and_by_two_at_once_gives_the_declared_tables(sql_url: str, database: Database) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(upgrade, [sql_url] * 3))
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


@pytest.mark.parametrize(("newer", "refused"), [("0099_additive_remarks", False), ("0099_names", True)])
def test_a_newer_program_locks_this_one_out_unless_it_only_added(
    sql_url: str, database: Database, newer: str, refused: bool
) -> None:
    assert pending(sql_url) == []
    known = _at(database)
    _set(database, newer)
    try:
        if refused:
            with pytest.raises(Failure, match=r"WNIS_SQL_URL.*newer program \(it is at 0099_names\)"):
                upgrade(sql_url)
        else:
            upgrade(sql_url)
        assert _at(database) == newer
    finally:
        _set(database, known)


def test_a_user_name_is_given_once(database: Database) -> None:
    user = _account(database)
    with pytest.raises(Conflict):
        Credentials(database).add(f"{user}-2", user, PASSWORD)


def test_an_account_is_not_kept_when_its_identity_could_not_be(database: Database) -> None:
    def fail() -> None:
        raise Unavailable("The graph is away.")

    user = f"user-{uuid.uuid4().hex}"
    with pytest.raises(Unavailable):
        Credentials(database).add(user, user, PASSWORD, then=fail)
    assert Credentials(database).by_username(user) is None


def test_disabling_ends_sessions_and_keys(database: Database) -> None:
    user, credentials, sessions, keys = _account(database), Credentials(database), Sessions(database), ApiKeys(database)
    session, refresh = sessions.start(user, "default")
    _, key = keys.issue(user, "default", "report", None)
    before = credentials.state(user, session.id)
    assert before is not None
    assert (before.active, before.session_in_force) == (True, True)
    credentials.set_active(user, False)
    after = credentials.state(user, session.id)
    assert after is not None
    assert (after.active, after.session_in_force, after.epoch) == (False, False, before.epoch + 1)
    with pytest.raises(NotAuthenticated):
        keys.holder(key)
    with pytest.raises(NotAuthenticated):
        sessions.rotate(refresh)


def test_of_many_who_rotate_one_refresh_token_at_once_one_wins_and_the_family_ends(database: Database) -> None:
    sessions = Sessions(database)
    session, refresh = sessions.start(_account(database), "default")

    def rotate(_: int) -> str | None:
        try:
            return sessions.rotate(refresh)[1]
        except NotAuthenticated:
            return None

    with ThreadPoolExecutor(6) as pool:
        won = [token for token in pool.map(rotate, range(6)) if token]
    assert len(won) == 1
    with pytest.raises(NotAuthenticated):
        sessions.rotate(won[0])
    state = Credentials(database).state(session.user_id, session.id)
    assert state is not None
    assert not state.session_in_force


def test_a_key_that_expired_or_is_altered_is_refused(database: Database) -> None:
    user, keys = _account(database), ApiKeys(database)
    _, good = keys.issue(user, "default", "report", 3600)
    _, expired = keys.issue(user, "default", "report", -1)
    assert keys.holder(good).user_id == user
    for text in (expired, good[:-1] + ("A" if good[-1] != "A" else "B"), "wnis_x", ""):
        with pytest.raises(NotAuthenticated):
            keys.holder(text)


def test_failures_make_an_account_wait_longer_and_longer(database: Database) -> None:
    throttle, name = SignInThrottle(database), _fresh()
    for _ in range(FREE_PER_ACCOUNT):
        throttle.begin(name, _fresh())
    with pytest.raises(TooMany) as caught:
        throttle.begin(name, _fresh())
    assert caught.value.retry_after_s is not None
    assert 0 < caught.value.retry_after_s <= 30
    throttle.forget(name)
    throttle.begin(name, _fresh())


def test_an_address_waits_after_failures_with_many_names(database: Database) -> None:
    throttle, address = SignInThrottle(database), _fresh()
    for _ in range(FREE_PER_ADDRESS):
        throttle.begin(_fresh(), address)
    with pytest.raises(TooMany):
        throttle.begin(_fresh(), address)


def test_success_forgets_the_failures_of_the_account(database: Database) -> None:
    throttle, name, address = SignInThrottle(database), _fresh(), _fresh()
    for _ in range(3):
        for _ in range(FREE_PER_ACCOUNT - 1):
            throttle.begin(name, address)
        throttle.succeeded(name, address)


def test_attempts_in_parallel_gain_no_extra_guess(database: Database) -> None:
    throttle, name = SignInThrottle(database), _fresh()

    def attempt(_: int) -> bool:
        try:
            throttle.begin(name, _fresh())
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(24))) == FREE_PER_ACCOUNT


def test_a_receipt_answers_the_same_request_and_refuses_another(database: Database) -> None:
    receipts, key = Receipts(database), _fresh()
    assert receipts.claim(key, "request") is None
    with pytest.raises(Conflict):
        receipts.claim(key, "request")
    answer = StoredAnswer(201, "application/json", '"1"', b"{}")
    receipts.keep(key, answer)
    assert receipts.claim(key, "request") == answer
    with pytest.raises(InvalidValue):
        receipts.claim(key, "another request")


def test_a_receipt_of_a_failed_request_is_given_back(database: Database) -> None:
    receipts, key = Receipts(database), _fresh()
    receipts.claim(key, "request")
    receipts.release(key)
    assert receipts.claim(key, "request") is None


def test_of_many_equal_requests_at_once_one_runs(database: Database) -> None:
    receipts, key = Receipts(database), _fresh()

    def claim(_: int) -> bool:
        try:
            return receipts.claim(key, "request") is None
        except WnisError:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(8))) == 1


def test_configuration_has_defaults_and_belongs_to_one_utility(database: Database) -> None:
    configuration, mine, theirs = Configuration(database), _fresh(), _fresh()
    assert configuration.of(mine) == DEFAULTS
    changed = configuration.change(mine, "user", {"default_prediction_horizon": 90})
    assert changed == DEFAULTS | {"default_prediction_horizon": 90}
    assert configuration.of(theirs) == DEFAULTS
