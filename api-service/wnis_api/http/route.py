"""One declaration per endpoint, from which registration, roles, validation and OpenAPI all come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict
from werkzeug.datastructures import FileStorage
from wnis_core.errors import Failure, FieldProblem, InvalidValue, NotFound, StaleVersion
from wnis_core.ids import given_id
from wnis_core.tokens import Caller
from wnis_graph.scope import Scope

from wnis_api.request_limits import Rate
from wnis_api.user_tokens import Identity

if TYPE_CHECKING:
    from wnis_api.parts import Parts

Q = TypeVar("Q")
B = TypeVar("B")


class Role(StrEnum):
    """What a person may be in a utility; ``platform_admin`` is it in all of them."""

    OPERATOR = "operator"
    MAINTENANCE = "maintenance"
    ENGINEER = "engineer"
    MANAGER = "manager"
    ANALYST = "analyst"
    ADMIN = "admin"
    PLATFORM_ADMIN = "platform_admin"


EVERYBODY = frozenset(Role)
PUBLIC: frozenset[Role] = frozenset()


def roles(*some: Role) -> frozenset[Role]:
    """`some` and those who may do everything a utility allows."""
    return frozenset({*some, Role.ADMIN, Role.PLATFORM_ADMIN})


class Nothing(BaseModel):
    """No parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)


NOTHING = Nothing()


@dataclass(frozen=True)
class Call(Generic[Q, B]):
    """A request that has been checked: who asks and for what."""

    path: Mapping[str, str]
    query: Q
    body: B
    identity: Identity | None
    request_id: str
    address: str
    if_match: str | None
    new_id: Callable[[str], str]
    files: Mapping[str, FileStorage] = field(default_factory=dict)
    gone: Callable[[], bool] = lambda: False
    """Whether the client has hung up meanwhile."""

    @property
    def caller(self) -> Identity:
        """Who asks; only routes with roles have one."""
        if self.identity is None:
            raise Failure("A public route asked who calls.")
        return self.identity

    @property
    def scope(self) -> Scope:
        """On whose behalf the graph is asked."""
        return Scope(self.caller.utility, self.caller.user_id, self.caller.roles)

    @property
    def internal(self) -> Caller:
        """The same towards the simulator and ml services."""
        who = self.caller
        return Caller(who.utility, who.user_id, who.roles, self.request_id)

    def id(self, name: str = "id") -> str:
        """An id of the path; what cannot be an id is not found."""
        try:
            return given_id(self.path[name])
        except InvalidValue as error:
            raise NotFound(f"There is no {self.path[name][:60]!r}.") from error

    def require_version(self, revision: int) -> None:
        """Refuse when ``If-Match`` names another version than `revision`."""
        # a proxy that compresses an answer makes its tag a weak one; the revision in it says the same
        if self.if_match is not None and not any(
            tag.strip() == "*" or tag.strip().removeprefix("W/").strip('"').split(".")[0] == str(revision)
            for tag in self.if_match.split(",")
        ):
            raise StaleVersion(
                "Somebody else changed it first.",
                mend="Read it again and repeat your change.",
                fields=[FieldProblem("If-Match", f"the present version is {revision}")],
            )


@dataclass(frozen=True)
class Reply:
    """An answer: a model as JSON, or bytes of another media type, perhaps a stream."""

    body: BaseModel | bytes | Iterator[bytes] | None
    status: int = 200
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    revision: int | str | None = None
    subject: str = ""


Handler = Callable[["Parts", Call[Any, Any]], Reply | BaseModel]


@dataclass(frozen=True)
class Route:
    """An endpoint.

    Parameters
    ----------
    path : template with ``{name}`` for each part, without the prefix ``/api/v1``
    allowed : roles that may use it; none of them (`PUBLIC`) means without a token
    query : model of the query parameters; unknown ones are refused
    body : model of the JSON body, or of the form fields when `files` are taken
    answer : model of the answer; none when the answer has no JSON form
    media_types : other forms of the answer
    errors : statuses beyond those that every route may answer
    action : name in the audit trail; empty when nothing is recorded
    repeatable : honours ``Idempotency-Key``
    large : the body may be as large as an upload
    reading : it asks by POST and changes nothing
    """

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    allowed: frozenset[Role] = EVERYBODY
    description: str = ""
    query: type[BaseModel] = Nothing
    body: type[BaseModel] | None = None
    files: tuple[str, ...] = ()
    answer: type[BaseModel] | None = None
    status: int = 200
    media_types: tuple[str, ...] = ()
    errors: tuple[int, ...] = ()
    rate: Rate = Rate.ORDINARY
    action: str = ""
    repeatable: bool = False
    large: bool = False
    reading: bool = False

    @property
    def writes(self) -> bool:
        """Whether it has to wait for the end of a backup's cut."""
        return self.method != "GET" and not self.reading

    @property
    def name(self) -> str:
        """Unique name: the operation id of OpenAPI and the endpoint of Flask."""
        words = [w.strip("{}") if not w.startswith("{") else f"by_{w.strip('{}')}" for w in self.path.split("/") if w]
        return "_".join([self.method.lower(), *words]).replace("}.mvt", "").replace(".", "_").replace("-", "_")

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """Names of the parts in the template."""
        return tuple(part.split("}")[0] for part in self.path.split("{")[1:])
