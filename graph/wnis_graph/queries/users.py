"""Cypher about users and their memberships. A person may belong to several utilities: accounts are the platform's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from wnis_graph.query import Access, Query, RawRow
from wnis_graph.values import native


@dataclass(frozen=True)
class User:
    """A person's identity."""

    id: str
    username: str
    active: bool
    created_at: datetime | None
    synthetic: bool


@dataclass(frozen=True)
class Member:
    """A user in a utility, with the role there."""

    user: User
    role: str


@dataclass(frozen=True)
class Membership:
    """A utility a user may work for, and the role there."""

    utility: str
    role: str


def _user(row: RawRow) -> User:
    p = row["user"]
    return User(p["id"], p["username"], p["active"], native(p.get("created_at")), bool(p.get("synthetic")))


def _member(row: RawRow) -> Member:
    return Member(_user(row), row["role"])


CREATE = Query(
    "users.create",
    Access.WRITE,
    """
    MATCH (t:Utility {id: $utility})
    CREATE (u:User) SET u = $properties
    CREATE (u)-[m:MEMBER_OF {role: $role}]->(t)
    RETURN properties(u) AS user, m.role AS role
    """,
    _member,
)

GET = Query(
    "users.get", Access.READ, "MATCH (u:User {id: $id}) RETURN properties(u) AS user", _user, platform=True
)  # fmt: skip

FIND_BY_USERNAME = Query(
    "users.find_by_username",
    Access.READ,
    "MATCH (u:User {username: $username}) RETURN properties(u) AS user",
    _user,
    platform=True,
)

MEMBERSHIPS = Query(
    "users.memberships",
    Access.READ,
    "MATCH (:User {id: $id})-[m:MEMBER_OF]->(t:Utility) RETURN t.id AS utility, m.role AS role ORDER BY utility",
    lambda row: Membership(row["utility"], row["role"]),
    platform=True,
)

GET_MEMBER = Query(
    "users.get_member",
    Access.READ,
    """
    MATCH (u:User {id: $id})-[m:MEMBER_OF]->(:Utility {id: $utility})
    RETURN properties(u) AS user, m.role AS role
    """,
    _member,
)

LIST_MEMBERS = Query(
    "users.list_members",
    Access.READ,
    """
    MATCH (u:User)-[m:MEMBER_OF]->(:Utility {id: $utility})
    RETURN properties(u) AS user, m.role AS role ORDER BY u.username, u.id
    """,
    _member,
)

SET_ACTIVE = Query(
    "users.set_active",
    Access.WRITE,
    """
    MATCH (u:User {id: $id})-[m:MEMBER_OF]->(:Utility {id: $utility})
    SET u.active = $active
    RETURN properties(u) AS user, m.role AS role
    """,
    _member,
)

SET_ROLE = Query(
    "users.set_role",
    Access.WRITE,
    """
    MATCH (u:User {id: $id})-[m:MEMBER_OF]->(:Utility {id: $utility})
    SET m.role = $role
    RETURN properties(u) AS user, m.role AS role
    """,
    _member,
)

ADD_MEMBER = Query(
    "users.add_member",
    Access.WRITE,
    """
    MATCH (u:User {id: $id}), (t:Utility {id: $utility})
    MERGE (u)-[m:MEMBER_OF]->(t)
    SET m.role = $role
    RETURN properties(u) AS user, m.role AS role
    """,
    _member,
)
