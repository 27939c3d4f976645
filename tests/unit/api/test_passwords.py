"""The password policy and its hashes."""

from __future__ import annotations

import pytest
from wnis_api import passwords
from wnis_core.errors import InvalidValue


@pytest.mark.parametrize(
    "password",
    ["", "short", "123456789", "password123", "Password123!", "qwertyuiop", "1q2w3e4r5t6y", "aaaaaaaaaaaa",
     "abababababab", "abcdefghijkl", "0123456789", "marie.curie", "Marie.Curie1", "x" * 257],
)  # fmt: skip
def test_a_password_that_others_would_try_is_refused(password: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        passwords.check_policy(password, "marie.curie")
    assert [f.field for f in caught.value.fields] == ["password"]


@pytest.mark.parametrize("password", ["a lake of tin drums", "Tg7-hw2pq!z", "ключ от насосной", "kwyjibo-kwyjibo"])
def test_a_password_of_ten_uncommon_characters_is_accepted(password: str) -> None:
    assert passwords.check_policy(password, "marie.curie") == password


def test_a_hash_is_argon2id_and_answers_only_its_password() -> None:
    hashed = passwords.hash_password("a lake of tin drums")
    assert hashed.startswith("$argon2id$")
    assert passwords.matches(hashed, "a lake of tin drums")
    assert not passwords.matches(hashed, "a lake of tin drum")
    assert not passwords.matches(None, "nobody signs in with this")
    assert not passwords.matches("not a hash", "a lake of tin drums")
