"""Calls between our services carry a 60-second token: who asks, for which utility, in which roles."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

import jwt

from wnis_core.errors import NotAuthenticated

_ISSUER = "wnis-internal"
_LIFETIME_S = 60
CLOCKS_MAY_DIFFER_S = 30
"""By how much the clocks of two machines may differ before one refuses the tokens of the other."""


@dataclass(frozen=True)
class Caller:
    """The person or part on whose behalf a service works."""

    utility: str
    user: str
    roles: frozenset[str]
    request_id: str


def issue_internal_token(secret: str, audience: str, caller: Caller) -> str:
    """A token for `audience` (``simulator`` or ``ml``) on behalf of `caller`."""
    issued = int(time.time())
    claims = {
        "iss": _ISSUER,
        "aud": audience,
        "iat": issued,
        "exp": issued + _LIFETIME_S,
        "jti": uuid.uuid4().hex,
        "typ": "internal",
        "utility": caller.utility,
        "user": caller.user,
        "roles": sorted(caller.roles),
        "request_id": caller.request_id,
    }
    return jwt.encode(claims, secret, algorithm="HS256")


def read_internal_token(secret: str, audience: str, token: str) -> Caller:
    """The caller of a valid token.

    Raises
    ------
    NotAuthenticated
        wrong signature, audience, issuer or kind, or expired
    """
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            audience=audience,
            issuer=_ISSUER,
            leeway=CLOCKS_MAY_DIFFER_S,
            options={"require": ["exp", "iat", "aud", "iss", "jti"]},
        )
    except (jwt.ImmatureSignatureError, jwt.ExpiredSignatureError) as error:
        raise NotAuthenticated(
            f"The internal token is of another time: {error}.",
            mend="Compare the clocks of the machines that the services run on, and have NTP set them.",
        ) from error
    except jwt.InvalidTokenError as error:
        raise NotAuthenticated(f"The internal token was refused: {error}.") from error
    if claims.get("typ") != "internal":
        raise NotAuthenticated("The token is not an internal one.")
    return Caller(
        utility=str(claims["utility"]),
        user=str(claims["user"]),
        roles=frozenset(claims["roles"]),
        request_id=str(claims["request_id"]),
    )
