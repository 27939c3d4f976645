"""People: identity and roles in the graph, the right to sign in, in SQL."""

from __future__ import annotations

from dataclasses import dataclass

from wnis_core.errors import Conflict, FieldProblem, Forbidden
from wnis_graph.repositories.users import Member, UserRepository
from wnis_graph.repositories.utilities import UtilityRepository
from wnis_graph.scope import DEFAULT_UTILITY, Scope

from wnis_api.credentials import Credentials

PLATFORM_ADMIN = "platform_admin"


@dataclass(frozen=True)
class Person:
    """A person of a utility."""

    id: str
    username: str
    role: str
    active: bool


@dataclass(frozen=True)
class Workplace:
    """A utility that a person may work for, and the role there."""

    utility: str
    utility_name: str
    role: str


class Directory:
    """The people of all utilities."""

    def __init__(self, users: UserRepository, utilities: UtilityRepository, credentials: Credentials) -> None:
        self._users = users
        self._utilities = utilities
        self._credentials = credentials

    def workplaces(self, user_id: str) -> list[Workplace]:
        """The utilities a person may work for, by id; all of them for a platform_admin."""
        scope = Scope(DEFAULT_UTILITY, user_id)
        role_in = {m.utility: m.role for m in self._users.memberships(scope, user_id)}
        everywhere = PLATFORM_ADMIN if PLATFORM_ADMIN in role_in.values() else ""
        return [
            Workplace(utility.id, utility.name, everywhere or role_in[utility.id])
            for utility in self._utilities.list(scope)
            if everywhere or utility.id in role_in
        ]

    def roles_in(self, user_id: str, utility: str) -> frozenset[str]:
        """The person's roles in `utility`; a platform_admin is its admin too."""
        own = {place.role for place in self.workplaces(user_id) if place.utility == utility}
        return frozenset(own | {"admin"} if PLATFORM_ADMIN in own else own)

    def utilities(self, scope: Scope) -> int:
        """How many utilities share this graph."""
        return len(self._utilities.list(scope))

    def choose_utility(self, user_id: str, wanted: str | None) -> str:
        """The utility to work for: `wanted`, else the default one, else the first.

        Raises
        ------
        Forbidden
            the person does not belong to it, or to any
        """
        scope = Scope(DEFAULT_UTILITY, user_id)
        own = {m.utility for m in self._users.memberships(scope, user_id)}
        if wanted is None and own:
            return DEFAULT_UTILITY if DEFAULT_UTILITY in own else min(own)
        held = {place.utility for place in self.workplaces(user_id)}
        if wanted is None or wanted not in held:
            raise Forbidden("You do not belong to this utility.", mend="Ask its admin to add you.")
        return wanted

    def people(self, scope: Scope, *, after: str | None, limit: int) -> list[Person]:
        """People of the utility by user name."""
        people = (_person(member) for member in self._users.list_in_utility(scope))
        return [person for person in people if after is None or person.username > after][:limit]

    def add(
        self, scope: Scope, user_id: str, username: str, password: str, role: str, *, synthetic: bool = False
    ) -> Person:
        """A new person with a password and a role.

        Raises
        ------
        InvalidValue
            the password is against the policy
        Conflict
            the user name is taken
        Forbidden
            the role is above the caller's own
        """
        _check_grant(scope, role)

        def record() -> None:
            self._users.create(scope, username, role, user_id=user_id, synthetic=synthetic)

        self._credentials.add(user_id, username, password, then=record)
        return Person(user_id, username, role, True)

    def change(self, scope: Scope, user_id: str, *, active: bool | None, role: str | None) -> Person:
        """Disable, enable, or give another role; in force with the person's next request.

        Raises
        ------
        NotFound
            nobody of the utility
        Forbidden
            the person stands above the caller, or works for other utilities too
        Conflict
            the caller would lock themselves out
        """
        member = self._users.get_member(scope, user_id)
        if user_id == scope.user:
            raise Conflict("You cannot change your own account here.", mend="Ask another admin.")
        for one in (member.role, role or member.role):
            _check_grant(scope, one)
        if active is not None and PLATFORM_ADMIN not in scope.roles:
            others = {m.utility for m in self._users.memberships(scope, user_id)} - {scope.utility}
            if others:
                raise Forbidden("The person works for other utilities too.", mend="Ask a platform_admin.")
        if role is not None and role != member.role:
            self._users.set_role(scope, user_id, role)
            self._credentials.end_tokens(user_id)
        if active is not None and active != member.user.active:
            self._credentials.set_active(user_id, active)  # first: it is what bars the door
            self._users.set_active(scope, user_id, active)
        return _person(self._users.get_member(scope, user_id))


def _person(member: Member) -> Person:
    return Person(member.user.id, member.user.username, member.role, member.user.active)


def _check_grant(scope: Scope, role: str) -> None:
    if role == PLATFORM_ADMIN and PLATFORM_ADMIN not in scope.roles:
        raise Forbidden(
            "Only a platform_admin decides about platform_admins.", fields=[FieldProblem("role", "is above yours")]
        )
