"""Signing in and what tokens may and may not do, against the live server."""

from __future__ import annotations

import secrets
import statistics
import time

import jwt
import pytest
import requests

from tests.contract.conftest import Client
from tests.live import LiveStack


def _me(live: LiveStack, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{live.url}/api/auth/me", headers=headers, timeout=10).status_code


def test_sign_in_gives_tokens_for_an_hour_and_the_person(live: LiveStack, admin: Client) -> None:
    body = {"username": live.username, "password": live.password, "utility": live.utility}
    answer = admin("POST", "/auth/login", json=body).json()
    assert set(answer) == {"token", "refresh_token", "expires_in", "user"}
    assert answer["expires_in"] == 3600
    assert answer["user"]["username"] == live.username
    assert answer["user"]["role"] == "platform_admin"
    claims = jwt.decode(answer["token"], options={"verify_signature": False})
    assert {"typ", "aud", "iss", "jti", "sub", "utility", "roles", "exp"} <= claims.keys()
    assert claims["exp"] - claims["iat"] == 3600


@pytest.mark.parametrize("prefix", ["", "/api", "/api/v1"])
def test_auth_and_admin_are_served_at_every_prefix(prefix: str, admin: Client) -> None:
    assert admin.bare("GET", f"{prefix}/auth/me").status_code == 200
    assert admin.bare("GET", f"{prefix}/admin/config").status_code == 200


def test_a_refresh_token_is_good_once_and_reuse_ends_the_session(live: LiveStack, anonymous: Client) -> None:
    first = live.sign_in()
    second = anonymous("POST", "/auth/refresh", json={"refresh_token": first.refresh_token}).json()
    assert _me(live, second["token"]) == 200
    assert anonymous("POST", "/auth/refresh", json={"refresh_token": first.refresh_token}).status_code == 401
    # the thief's and the owner's tokens are both dead now
    assert anonymous("POST", "/auth/refresh", json={"refresh_token": second["refresh_token"]}).status_code == 401
    assert _me(live, second["token"]) == 401


def test_signing_out_ends_the_token_at_once(live: LiveStack) -> None:
    person = live.sign_in()
    client = Client(live, person)
    assert client("POST", "/auth/logout").status_code == 204
    assert _me(live, person.token) == 401


def test_disabling_and_enabling_take_effect_at_once(live: LiveStack, admin: Client) -> None:
    assert admin.person is not None
    person = live.add_person(admin.person, "operator")
    path = f"/admin/users/{person.user['id']}"
    assert _me(live, person.token) == 200
    assert admin("PATCH", path, json={"active": False}).json()["active"] is False
    assert _me(live, person.token) == 401
    with pytest.raises(requests.HTTPError, match="401"):
        live.sign_in(person.username, person.password)
    assert admin("PATCH", path, json={"active": True}).json()["active"] is True
    assert _me(live, live.sign_in(person.username, person.password).token) == 200


def test_another_role_is_in_force_with_the_next_request(live: LiveStack, admin: Client, anonymous: Client) -> None:
    assert admin.person is not None
    person = live.add_person(admin.person, "admin")
    assert Client(live, person)("GET", "/admin/users").status_code == 200
    admin("PATCH", f"/admin/users/{person.user['id']}", json={"role": "operator"}).raise_for_status()
    assert Client(live, person)("GET", "/admin/users").status_code == 401
    fresh = anonymous("POST", "/auth/refresh", json={"refresh_token": person.refresh_token}).json()
    assert fresh["user"]["role"] == "operator"
    headers = {"Authorization": f"Bearer {fresh['token']}"}
    assert requests.get(f"{live.url}/api/admin/users", headers=headers, timeout=10).status_code == 403


def test_an_admin_may_not_make_or_change_a_platform_admin(live: LiveStack, admin: Client) -> None:
    assert admin.person is not None
    local = Client(live, live.add_person(admin.person, "admin"))
    body = {"username": f"x{secrets.token_hex(4)}", "password": "a lake of tin drums", "role": "platform_admin"}
    assert local("POST", "/admin/users", json=body).status_code == 403
    assert local("PATCH", f"/admin/users/{admin.person.user['id']}", json={"active": False}).status_code == 403


def test_forged_tokens_are_refused(live: LiveStack) -> None:
    token = live.sign_in().token
    claims = jwt.decode(token, options={"verify_signature": False})
    secret = live.environment["WNIS_JWT_SECRET"]

    def signed(key: str = secret, **changes: object) -> str:
        changed = {k: v for k, v in (claims | changes).items() if v is not ...}
        return jwt.encode(changed, key, algorithm="HS256")

    assert _me(live, signed()) == 200
    forged = {
        "no algorithm": jwt.encode(claims, None, algorithm="none"),
        "another secret": signed("0123456789abcdef0123456789abcdef"),
        "another algorithm": jwt.encode(claims, secret * 2, algorithm="HS512"),
        "another audience": signed(aud="simulator"),
        "another issuer": signed(iss="wnis-internal"),
        "another kind": signed(typ="internal"),
        "no expiry": signed(exp=...),
        "expired": signed(exp=int(time.time()) - 1),
        "an older epoch": signed(epoch=0),
        "another session": signed(sid="nobody"),
        "another person": signed(sub="user-unknown"),
        "text": "x.y.z",
        "nothing": "",
    }
    assert {why: _me(live, text) for why, text in forged.items()} == dict.fromkeys(forged, 401)


def test_api_keys_act_for_their_owner_until_they_end(live: LiveStack, admin: Client) -> None:
    assert admin.person is not None
    client = Client(live, live.add_person(admin.person, "analyst"))
    key = client("POST", "/auth/keys", json={"name": "report"}).json()
    for headers in ({"Authorization": f"Bearer {key['key']}"}, {"X-API-Key": key["key"]}):
        me = requests.get(f"{live.url}/api/auth/me", headers=headers, timeout=10).json()
        assert (me["username"], me["role"]) == (client.person.username, "analyst")  # type: ignore[union-attr]
    assert [k["id"] for k in client("GET", "/auth/keys").json()["keys"]] == [key["id"]]
    assert client("DELETE", f"/auth/keys/{key['id']}").status_code == 204
    assert _me(live, key["key"]) == 401


def test_passwords_that_are_short_known_or_the_name_are_refused(admin: Client) -> None:
    def refusal(username: str, password: str) -> tuple[int, str]:
        answer = admin("POST", "/admin/users", json={"username": username, "password": password, "role": "operator"})
        return answer.status_code, answer.json()["errors"][0]["field"]

    for password in (
        "short",
        "password123",
        "1234567890",
        "Qwertyuiop",
        "aaaaaaaaaaaa",
        "abcdefghijkl",
        "hydraulica-9",
    ):
        assert refusal("hydraulica", password) == (422, "password")


def test_changing_the_password_ends_every_session(live: LiveStack, admin: Client) -> None:
    assert admin.person is not None
    person = live.add_person(admin.person, "operator")
    client = Client(live, person)
    body = {"current_password": "wrong", "new_password": "a lake of tin drums"}
    assert client("POST", "/auth/password", json=body).status_code == 422
    assert client("POST", "/auth/password", json=body | {"current_password": person.password}).status_code == 204
    assert _me(live, person.token) == 401
    assert _me(live, live.sign_in(person.username, "a lake of tin drums").token) == 200


def test_unknown_users_get_the_same_answer_after_the_same_time(live: LiveStack, admin: Client) -> None:
    assert admin.person is not None
    known = [live.add_person(admin.person, "operator").username for _ in range(4)]
    times: dict[str, list[float]] = {"known": [], "unknown": []}
    answers = set()
    for round_ in range(2):
        for name in known:
            for kind, username in (("known", name), ("unknown", f"nobody-{round_}-{name}")):
                started = time.perf_counter()
                body = {"username": username, "password": "not the password"}
                answer = requests.post(f"{live.url}/auth/login", json=body, timeout=20)
                times[kind].append(time.perf_counter() - started)
                answers.add((answer.status_code, answer.json()["error"], answer.json()["code"]))
    assert len(answers) == 1
    ratio = statistics.median(times["known"]) / statistics.median(times["unknown"])
    assert 0.5 < ratio < 2.0


def test_failures_make_an_account_wait_also_after_a_restart(live: LiveStack, admin: Client) -> None:
    assert admin.person is not None
    person = live.add_person(admin.person, "operator")

    def attempt(username: str, password: str) -> requests.Response:
        body = {"username": username, "password": password, "utility": live.utility}
        return requests.post(f"{live.url}/auth/login", json=body, timeout=20)

    assert [attempt(person.username, "wrong").status_code for _ in range(5)] == [401] * 5
    refused = attempt(person.username, person.password)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    live.stop("api")
    live.start("api")
    live.wait("api")
    assert attempt(person.username, person.password).status_code == 429
    assert attempt(live.username, live.password).status_code == 200


def test_a_person_of_several_utilities_chooses_one(live: LiveStack, admin: Client) -> None:
    places = admin("GET", "/auth/me").json()["utilities"]
    assert live.utility in {place["id"] for place in places}
    switched = Client(live, live.sign_in())("POST", "/auth/switch", json={"utility": live.utility})
    assert switched.json()["user"]["utility"] == live.utility
    assert admin.person is not None
    local = Client(live, live.add_person(admin.person, "admin"))
    assert local("POST", "/auth/switch", json={"utility": "somebody-elses"}).status_code == 403
