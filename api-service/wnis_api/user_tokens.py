"""Access tokens of people: signed (HS256), one hour, for one account in one utility."""

from __future__ import annotations

import threading
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass

import jwt
from wnis_core.errors import NotAuthenticated
from wnis_core.tokens import CLOCKS_MAY_DIFFER_S

LIFETIME_S = 3_600
_ISSUER = "wnis"
_AUDIENCE = "wnis-api"
_KEPT = 2_000
_REQUIRED = ["exp", "iat", "aud", "iss", "jti", "sub"]


@dataclass(frozen=True)
class Identity:
    """Who asks, for which utility, in which roles, and by what credential."""

    user_id: str
    username: str
    utility: str
    roles: frozenset[str]
    session: str | None
    epoch: int


class UserTokens:
    """Issues and reads access tokens with one secret of at least 32 bytes."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        # whether a signature is right never changes: worked out once for a token; its expiry is asked each time
        self._known: OrderedDict[str, tuple[Identity, float]] = OrderedDict()
        self._lock = threading.Lock()

    def issue(self, identity: Identity) -> str:
        """A token for `identity`."""
        issued = int(time.time())
        claims = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "typ": "access",
            "iat": issued,
            "exp": issued + LIFETIME_S,
            "jti": uuid.uuid4().hex,
            "sub": identity.user_id,
            "username": identity.username,
            "utility": identity.utility,
            "roles": sorted(identity.roles),
            "sid": identity.session,
            "epoch": identity.epoch,
        }
        return jwt.encode(claims, self._secret, algorithm="HS256")

    def read(self, token: str) -> Identity:
        """The identity in a valid token.

        Raises
        ------
        NotAuthenticated
            wrong signature, algorithm, audience, issuer or kind, or expired
        """
        known = self._known.get(token)
        if known is None:
            known = self._verified(token)
            with self._lock:
                self._known[token] = known
                while len(self._known) > _KEPT:
                    self._known.popitem(last=False)
        identity, expires_at = known
        if time.time() >= expires_at:
            raise _expired()
        return identity

    def _verified(self, token: str) -> tuple[Identity, float]:
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                audience=_AUDIENCE,
                issuer=_ISSUER,
                # other instances of the API issue tokens, too; how long one is good is asked below, each time
                leeway=CLOCKS_MAY_DIFFER_S,
                options={"require": _REQUIRED},
            )
        except jwt.ExpiredSignatureError as error:
            raise _expired() from error
        except jwt.ImmatureSignatureError as error:
            raise NotAuthenticated(
                "The token is from the future: a clock was set back, or those of two servers differ.",
                mend="Sign in again.",
            ) from error
        except jwt.InvalidTokenError as error:
            raise NotAuthenticated("The token is not valid.", mend="Sign in again.") from error
        if claims.get("typ") != "access":
            raise NotAuthenticated("The token is not an access token.", mend="Sign in again.")
        identity = Identity(
            user_id=str(claims["sub"]),
            username=str(claims["username"]),
            utility=str(claims["utility"]),
            roles=frozenset(claims["roles"]),
            session=claims["sid"],
            epoch=int(claims["epoch"]),
        )
        return identity, float(claims["exp"])


def _expired() -> NotAuthenticated:
    return NotAuthenticated("The token has expired.", mend="Refresh it or sign in again.")
