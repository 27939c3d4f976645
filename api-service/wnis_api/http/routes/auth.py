"""Signing in and out, keys of programs."""

from __future__ import annotations

from datetime import UTC, datetime

from wnis_api.api_keys import ApiKey
from wnis_api.http.route import PUBLIC, Call, Nothing, Reply, Route
from wnis_api.http.schemas.accounts import (
    ChangePassword,
    IssuedKey,
    KeyAnswer,
    Keys,
    MembershipAnswer,
    NewKey,
    Refresh,
    SignIn,
    SwitchUtility,
    Tokens,
    UserAnswer,
)
from wnis_api.parts import Parts
from wnis_api.sign_in import SignedIn
from wnis_api.user_tokens import LIFETIME_S, Identity


def _user(parts: Parts, identity: Identity) -> UserAnswer:
    places = parts.directory.workplaces(identity.user_id)
    ordered = sorted(identity.roles, key=lambda role: (role != "platform_admin", role))
    return UserAnswer(
        id=identity.user_id,
        username=identity.username,
        role=ordered[0],
        roles=ordered,
        utility=identity.utility,
        utilities=[MembershipAnswer(id=m.utility, name=m.utility_name, role=m.role) for m in places],
    )


def _tokens(parts: Parts, signed_in: SignedIn) -> Tokens:
    return Tokens(
        token=signed_in.token,
        refresh_token=signed_in.refresh_token,
        expires_in=LIFETIME_S,
        user=_user(parts, signed_in.identity),
    )


def sign_in(parts: Parts, call: Call[Nothing, SignIn]) -> Tokens:
    asked = call.body
    return _tokens(parts, parts.sign_in.with_password(asked.username, asked.password, asked.utility, call.address))


def refresh(parts: Parts, call: Call[Nothing, Refresh]) -> Tokens:
    return _tokens(parts, parts.sign_in.refresh(call.body.refresh_token))


def switch(parts: Parts, call: Call[Nothing, SwitchUtility]) -> Tokens:
    return _tokens(parts, parts.sign_in.switch(call.caller, call.body.utility))


def sign_out(parts: Parts, call: Call[Nothing, None]) -> Reply:
    parts.sign_in.sign_out(call.caller)
    return Reply(None, status=204)


def me(parts: Parts, call: Call[Nothing, None]) -> UserAnswer:
    return _user(parts, call.caller)


def change_password(parts: Parts, call: Call[Nothing, ChangePassword]) -> Reply:
    asked = call.body
    parts.sign_in.change_password(call.caller, asked.current_password, asked.new_password, call.address)
    return Reply(None, status=204)


def _key(key: ApiKey) -> KeyAnswer:
    return KeyAnswer(
        id=key.id, name=key.name, utility=key.utility, created_at=_at(key.created_at), expires_at=_later(key.expires_at)
    )


def list_keys(parts: Parts, call: Call[Nothing, None]) -> Keys:
    return Keys(keys=[_key(key) for key in parts.keys.of_user(call.caller.user_id, call.caller.utility)])


def issue_key(parts: Parts, call: Call[Nothing, NewKey]) -> IssuedKey:
    lifetime_s = call.body.lifetime_days * 86_400.0 if call.body.lifetime_days else None
    key, text = parts.keys.issue(call.caller.user_id, call.caller.utility, call.body.name, lifetime_s)
    return IssuedKey(**_key(key).model_dump(), key=text)


def end_key(parts: Parts, call: Call[Nothing, None]) -> Reply:
    parts.keys.end(call.caller.user_id, call.caller.utility, call.path["id"])
    return Reply(None, status=204)


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _later(seconds: float | None) -> datetime | None:
    return None if seconds is None else _at(seconds)


_TAG = "sign-in"

ROUTES: tuple[Route, ...] = (
    Route("POST", "/auth/login", sign_in, "Sign in", _TAG, PUBLIC, body=SignIn, answer=Tokens, errors=(401, 403, 429),
          description="Wrong, unknown and disabled accounts get the same answer after the same time. Failures are "
          "counted per user name and per address, and make both wait."),
    Route("POST", "/auth/refresh", refresh, "Trade a refresh token for new tokens", _TAG, PUBLIC, body=Refresh,
          answer=Tokens, errors=(401, 403),
          description="A refresh token is good for one use; presented twice, it ends its session."),
    Route("POST", "/auth/switch", switch, "Work for another utility", _TAG, body=SwitchUtility, answer=Tokens,
          errors=(403,), action="auth.switch"),
    Route("POST", "/auth/logout", sign_out, "Sign out", _TAG, status=204, action="auth.logout",
          description="Ends the session at once: its access and refresh tokens are refused from now on."),
    Route("GET", "/auth/me", me, "Who is signed in", _TAG, answer=UserAnswer),
    Route("POST", "/auth/password", change_password, "Change one's password", _TAG, body=ChangePassword, status=204,
          action="auth.password", description="Every session and API key of the account ends."),
    Route("GET", "/auth/keys", list_keys, "API keys in force", _TAG, answer=Keys),
    Route("POST", "/auth/keys", issue_key, "Issue an API key", _TAG, body=NewKey, answer=IssuedKey, status=201,
          action="auth.key_issued",
          description="For programs: send it as `Authorization: Bearer wnis_...` or `X-API-Key`. It acts for you in "
          "the present utility with your role of the moment. Its text is shown this once."),
    Route("DELETE", "/auth/keys/{id}", end_key, "End an API key", _TAG, status=204, action="auth.key_ended"),
)  # fmt: skip
