"""People, configuration and audit of a utility."""

from __future__ import annotations

from datetime import UTC, datetime

from wnis_core.errors import BadRequest

from wnis_api.directory import Person
from wnis_api.http.route import Call, Nothing, Reply, Route, roles
from wnis_api.http.schemas.accounts import (
    AccountAnswer,
    Accounts,
    Audit,
    AuditAnswer,
    AuditQuery,
    ChangeConfiguration,
    ChangeUser,
    ConfigurationAnswer,
    NewUser,
)
from wnis_api.http.schemas.common import PageQuery, decode_cursor, encode_cursor
from wnis_api.parts import Parts


def _account(person: Person) -> AccountAnswer:
    return AccountAnswer(id=person.id, username=person.username, role=person.role, active=person.active)


def list_users(parts: Parts, call: Call[PageQuery, None]) -> Accounts:
    after = decode_cursor(call.query.cursor, str)
    people = parts.directory.people(call.scope, after=after[0] if after else None, limit=call.query.limit + 1)
    shown = people[: call.query.limit]
    more = encode_cursor(shown[-1].username) if len(people) > len(shown) else None
    return Accounts(users=[_account(person) for person in shown], next_cursor=more)


def add_user(parts: Parts, call: Call[Nothing, NewUser]) -> Reply:
    asked = call.body
    person = parts.directory.add(call.scope, call.new_id("user"), asked.username, asked.password, asked.role,
                                 synthetic=asked.synthetic)  # fmt: skip
    return Reply(_account(person), status=201, subject=person.id)


def change_user(parts: Parts, call: Call[Nothing, ChangeUser]) -> AccountAnswer:
    asked = call.body
    if asked.active is None and asked.role is None:
        raise BadRequest("The body names nothing to change.", mend="Give active, role or both.")
    return _account(parts.directory.change(call.scope, call.path["id"], active=asked.active, role=asked.role))


def show_configuration(parts: Parts, call: Call[Nothing, None]) -> ConfigurationAnswer:
    return ConfigurationAnswer.model_validate(parts.configuration.of(call.caller.utility))


def change_configuration(parts: Parts, call: Call[Nothing, ChangeConfiguration]) -> ConfigurationAnswer:
    values = call.body.model_dump(exclude_none=True)
    kept = parts.configuration.change(call.caller.utility, call.caller.user_id, values)
    return ConfigurationAnswer.model_validate(kept)


def show_audit(parts: Parts, call: Call[AuditQuery, None]) -> Audit:
    before = decode_cursor(call.query.cursor, int)
    entries = parts.audit.page(call.caller.utility, before=before[0] if before else None, limit=call.query.limit + 1)
    shown = entries[: call.query.limit]
    rows = [
        AuditAnswer(
            id=e.id, at=datetime.fromtimestamp(e.at, UTC), user_id=e.user_id, username=e.username, action=e.action,
            subject=e.subject, status=e.status, address=e.address, request_id=e.request_id, detail=dict(e.detail),
        )
        for e in shown
    ]  # fmt: skip
    return Audit(audit=rows, next_cursor=encode_cursor(shown[-1].id) if len(entries) > len(shown) else None)


_TAG = "administration"
_ADMINS = roles()

ROUTES: tuple[Route, ...] = (
    Route("GET", "/admin/users", list_users, "People of the utility", _TAG, _ADMINS, query=PageQuery, answer=Accounts),
    Route("POST", "/admin/users", add_user, "Add a person", _TAG, _ADMINS, body=NewUser, answer=AccountAnswer,
          status=201, errors=(409,), action="user.add", repeatable=True,
          description="Passwords have at least 10 characters and are neither well known nor the user name."),
    Route("PATCH", "/admin/users/{id}", change_user, "Disable, enable or give another role", _TAG, _ADMINS,
          body=ChangeUser, answer=AccountAnswer, errors=(409,), action="user.change",
          description="Takes effect with the person's next request: tokens issued before are refused."),
    Route("GET", "/admin/config", show_configuration, "Settings of the utility", _TAG, _ADMINS,
          answer=ConfigurationAnswer),
    Route("POST", "/admin/config", change_configuration, "Change settings of the utility", _TAG, _ADMINS,
          body=ChangeConfiguration, answer=ConfigurationAnswer, action="config.change", repeatable=True),
    Route("GET", "/admin/audit", show_audit, "Who did what", _TAG, _ADMINS, query=AuditQuery, answer=Audit),
)  # fmt: skip
