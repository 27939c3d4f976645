"""Sign-in, users, keys, configuration, audit."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from wnis_api.http.route import Role
from wnis_api.http.schemas.common import NO_NUL, Input, Moment, Output, Page, PageQuery, Text

Username = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._@-]+$")]
Password = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=NO_NUL)]
UtilityId = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=NO_NUL)]


class SignIn(Input):
    """User name and password, and the utility to work for when there are several."""

    username: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_NUL)]
    password: Password
    utility: UtilityId | None = None


class Refresh(Input):
    """A refresh token, good for one use."""

    refresh_token: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class SwitchUtility(Input):
    """Another utility that the person belongs to."""

    utility: UtilityId


class ChangePassword(Input):
    """The present password and the new one."""

    current_password: Password
    new_password: Password


class MembershipAnswer(Output):
    """A utility in which a person has a role."""

    id: str
    name: str
    role: str


class UserAnswer(Output):
    """A person and what they may do in the present utility."""

    id: str
    username: str
    role: str
    roles: list[str]
    utility: str
    utilities: list[MembershipAnswer]


class Tokens(Output):
    """An access token for an hour and a refresh token for the next one."""

    token: str
    refresh_token: str
    expires_in: int = Field(description="seconds")
    user: UserAnswer


class NewKey(Input):
    """A key for a program."""

    name: Text
    lifetime_days: Annotated[int, Field(ge=1, le=3650)] | None = None


class KeyAnswer(Output):
    """A key without its secret."""

    id: str
    name: str
    utility: str
    created_at: Moment
    expires_at: Moment | None


class IssuedKey(KeyAnswer):
    """A new key with its text, shown this once."""

    key: str


class Keys(Page):
    """Keys of the signed-in person."""

    keys: list[KeyAnswer]


class NewUser(Input):
    """A person who may sign in to this utility."""

    username: Username
    password: Password
    role: Role
    synthetic: bool = Field(default=False, description="stands for nobody: made for a demonstration")


class ChangeUser(Input):
    """Disable, enable, or give another role."""

    active: bool | None = None
    role: Role | None = None


class AccountAnswer(Output):
    """A person as an admin sees them."""

    id: str
    username: str
    role: str
    active: bool


class Accounts(Page):
    """The people of a utility."""

    users: list[AccountAnswer]


class ConfigurationAnswer(Output):
    """The utility's settings."""

    system_name: str
    maintenance_check_interval: int = Field(description="seconds")
    default_prediction_horizon: int = Field(description="days")
    alert_notification_enabled: bool
    auto_update_predictions: bool


class ChangeConfiguration(Input):
    """Settings to change; unknown ones are refused."""

    system_name: Text | None = None
    maintenance_check_interval: Annotated[int, Field(ge=60, le=31_536_000, description="seconds")] | None = None
    default_prediction_horizon: Annotated[int, Field(ge=1, le=3650, description="days")] | None = None
    alert_notification_enabled: bool | None = None
    auto_update_predictions: bool | None = None


class AuditAnswer(Output):
    """One recorded action."""

    id: int
    at: Moment
    user_id: str
    username: str
    action: str
    subject: str
    status: int
    address: str
    request_id: str
    detail: dict[str, Any] = Field(description="of a query its text, rows, milliseconds and why it was refused")


class Audit(Page):
    """Recorded actions, newest first."""

    audit: list[AuditAnswer]


class AuditQuery(PageQuery):
    """Paging of the audit trail."""
