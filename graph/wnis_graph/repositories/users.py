"""Users and what they may do where. Credentials are not here: they live in SQL."""

from __future__ import annotations

from wnis_core.clock import now
from wnis_core.errors import Conflict, FieldProblem, InvalidValue, NotFound
from wnis_core.ids import given_id, new_id

from wnis_graph.queries import users, utilities
from wnis_graph.queries.users import Member, Membership, User
from wnis_graph.runner import Runner, Transaction
from wnis_graph.schema.model import ROLES, SCHEMA
from wnis_graph.scope import Scope

__all__ = ["Member", "Membership", "User", "UserRepository"]


class UserRepository:
    """Identities and memberships."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def create(
        self, scope: Scope, username: str, role: str, *, user_id: str | None = None, synthetic: bool = False
    ) -> Member:
        """A new active user, member of the scope's utility (made when missing) in `role`.

        Raises
        ------
        Conflict
            the user name or id is taken
        InvalidValue
            no such role
        """
        _require_role(role)
        properties = {
            "id": given_id(user_id) if user_id else new_id("user"),
            "username": username,
            "active": True,
            "created_at": now(),
        }
        if synthetic:
            properties["synthetic"] = True
        SCHEMA.require("User", properties)

        def work(tx: Transaction) -> Member:
            if tx.run(users.FIND_BY_USERNAME, username=username):
                raise Conflict(
                    f"The user name {username!r} is taken.",
                    mend="Choose another.",
                    fields=[FieldProblem("username", "is taken")],
                )
            tx.run(utilities.ENSURE, name=scope.utility)
            return tx.run(users.CREATE, properties=properties, role=role)[0]

        return self._runner.write(scope, work)

    def get(self, scope: Scope, user_id: str) -> User:
        """The user with this id in any utility, or NotFound."""
        found = self._runner.run_one(scope, users.GET, id=user_id)
        if found is None:
            raise _missing(user_id)
        return found

    def find_by_username(self, scope: Scope, username: str) -> User | None:
        """The user who signs in as `username`, or nothing."""
        return self._runner.run_one(scope, users.FIND_BY_USERNAME, username=username)

    def memberships(self, scope: Scope, user_id: str) -> list[Membership]:
        """Utilities the user may work for, with the role in each, by utility."""
        return self._runner.run(scope, users.MEMBERSHIPS, id=user_id)

    def get_member(self, scope: Scope, user_id: str) -> Member:
        """The member of the scope's utility, or NotFound."""
        found = self._runner.run_one(scope, users.GET_MEMBER, id=user_id)
        if found is None:
            raise _missing(user_id)
        return found

    def list_in_utility(self, scope: Scope) -> list[Member]:
        """Members of the scope's utility by user name."""
        return self._runner.run(scope, users.LIST_MEMBERS)

    def set_active(self, scope: Scope, user_id: str, active: bool) -> Member:
        """Let a member of the scope's utility sign in, or no longer; NotFound for anybody else."""
        found = self._runner.run_one(scope, users.SET_ACTIVE, id=user_id, active=active)
        if found is None:
            raise _missing(user_id)
        return found

    def set_role(self, scope: Scope, user_id: str, role: str) -> Member:
        """Change the role of a member of the scope's utility; NotFound for anybody else."""
        _require_role(role)
        found = self._runner.run_one(scope, users.SET_ROLE, id=user_id, role=role)
        if found is None:
            raise _missing(user_id)
        return found

    def add_member(self, scope: Scope, user_id: str, role: str) -> Member:
        """Make an existing user a member of the scope's utility, or change the role there."""
        _require_role(role)
        found = self._runner.run_one(scope, users.ADD_MEMBER, id=user_id, role=role)
        if found is None:
            raise _missing(user_id)
        return found


def _require_role(role: str) -> None:
    if role not in ROLES:
        raise InvalidValue(
            f"{role!r} is no role.",
            mend=f"Use one of {', '.join(ROLES)}.",
            fields=[FieldProblem("role", f"must be one of {', '.join(ROLES)}")],
        )


def _missing(user_id: str) -> NotFound:
    return NotFound(f"There is no user {user_id!r} here.")
