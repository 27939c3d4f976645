"""Passwords: what is accepted, and how they are kept (argon2id, RFC 9106)."""

from __future__ import annotations

import threading
from functools import cache
from itertools import pairwise
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from wnis_core.errors import FieldProblem, InvalidValue

MIN_LENGTH = 10
MAX_LENGTH = 256

_HASHER = PasswordHasher()  # the library's defaults are RFC 9106's second choice: 64 MiB, 3 passes
# a hash takes 64 MiB and a core: two at a time in a process leave room for everything else
_AT_ONCE = threading.BoundedSemaphore(2)


def check_policy(password: str, username: str, *, field: str = "password") -> str:
    """`password` when it may be used by `username`.

    Raises
    ------
    InvalidValue
        shorter than 10 characters, well known, or built on the user name
    """
    fault = _fault(password, username)
    if fault:
        raise InvalidValue(
            f"The password {fault}.",
            mend="Use at least 10 characters that nobody else would think of; a few unrelated words are fine.",
            fields=[FieldProblem(field, fault)],
        )
    return password


def hash_password(password: str) -> str:
    """The argon2id hash with its salt and parameters."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether `password` belongs to the hash; without a hash it takes as long and says no."""
    with _AT_ONCE:
        try:
            _HASHER.verify(password_hash or _nobody(), password)
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None


def outdated(password_hash: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def prepare() -> None:
    """Make the hash that unknown users are checked against, so that the first of them takes no longer."""
    _nobody()


@cache
def _nobody() -> str:
    return _HASHER.hash("nobody signs in with this")


@cache
def _common() -> frozenset[str]:
    lines = (Path(__file__).parent / "common_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _fault(password: str, username: str) -> str | None:
    if len(password) < MIN_LENGTH:
        return f"must have at least {MIN_LENGTH} characters"
    if len(password) > MAX_LENGTH:
        return f"must have at most {MAX_LENGTH} characters"
    plain = password.casefold()
    name = username.casefold()
    if name and (plain == name or (len(name) >= 4 and len(plain.replace(name, "")) < 4)):
        return "must not be the user name"
    # "Password123!" and "password2024" are the word with the decoration that everybody adds
    core = plain.strip("0123456789!?.,;:*#$@-_+ ")
    if plain in _common() or core in _common() or core in _STEMS:
        return "is well known"
    if len(set(plain)) < 4 or _is_run(plain):
        return "is a repetition or a run of neighbouring characters"
    return None


_STEMS = frozenset(
    {"", "password", "passwort", "passw0rd", "p@ssw0rd", "p@ssword", "pa$$word", "pa$$w0rd", "changeme", "change-me",
     "change_me", "letmein", "letmeinnow", "welcome", "admin", "administrator", "administration", "qwerty", "qwertz",
     "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "iloveyou", "monkey", "dragon", "football", "baseball",
     "superman", "batman", "trustno", "default", "secret", "topsecret", "supersecret", "test", "testing", "testtest",
     "tester", "guest", "login", "master", "root", "toor", "user", "username", "operator", "engineer", "manager",
     "analyst", "maintenance", "neo4j", "wnis", "water", "waternetwork", "utility", "winter", "spring", "summer",
     "autumn", "january", "february", "august", "september", "october", "november", "december"}
)  # fmt: skip


def _is_run(text: str) -> bool:
    steps = {ord(b) - ord(a) for a, b in pairwise(text)}
    return steps in ({1}, {-1})
