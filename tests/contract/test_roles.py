"""The table route x role, cell by cell, over the live server."""

from __future__ import annotations

import pytest
from wnis_api.http.route import Role, Route
from wnis_api.http.routes import ROUTES

from tests.contract.conftest import Client


def _asked(client: Client, route: Route) -> int:
    """The status of a request that changes nothing: ids that do not exist, and a body that no route accepts."""
    path = route.path
    for name in route.path_parameters:
        path = path.replace(f"{{{name}}}", "0" if name in "zxy" else "no-such-thing")
    body = {"json": {"no_such_field": True}} if route.body and not route.files else {}
    query = {"params": {"no_such_parameter": "1"}} if route.name not in _SAFE else {}
    return client(route.method, path, **body, **query).status_code


_SAFE = frozenset({"get_auth_me"})


@pytest.mark.parametrize("route", [r for r in ROUTES if r.allowed], ids=lambda r: r.name)
def test_a_route_is_open_to_exactly_its_roles(route: Route, people: dict[Role, Client], anonymous: Client) -> None:
    refused = {role for role, client in people.items() if _asked(client, route) == 403}
    assert refused == set(Role) - route.allowed
    assert _asked(anonymous, route) == 401


@pytest.mark.parametrize("route", [r for r in ROUTES if not r.allowed], ids=lambda r: r.name)
def test_a_public_route_needs_no_token(route: Route, anonymous: Client) -> None:
    assert _asked(anonymous, route) == 400


def test_every_role_may_do_something_and_only_admins_everything() -> None:
    reach = {role: {r.name for r in ROUTES if role in r.allowed} for role in Role}
    everything = {r.name for r in ROUTES if r.allowed}
    assert reach[Role.ADMIN] == reach[Role.PLATFORM_ADMIN] == everything
    assert all(reach[role] < everything for role in Role if role not in (Role.ADMIN, Role.PLATFORM_ADMIN))
