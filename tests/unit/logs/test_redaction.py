"""What looks like a credential is not written, and what does not is."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

import pytest
from wnis_core.log_fields import FIELDS
from wnis_core.logs import JsonFormatter
from wnis_core.redaction import Redaction

S = "Hx7-q_Zt9w2"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {S}",
        f"authorization: bearer {S} was refused",
        f"{{'Authorization': 'Basic {S}=='}}",
        f'{{"password": "{S}", "username": "ann"}}',
        f"{{'new_password': '{S}'}}",
        f"LoginBody(username='ann', password='{S}')",
        f"headers={{b'Cookie': b'session={S}'}}",
        f"GET /x?token={S}&q=1",
        f"refresh_token={S};",
        f"X-API-Key: {S}",
        f"https://bucket.s3.test/o?X-Amz-Signature={S}",
        f"aws_secret_access_key = {S}",
        f"NEO4J_PASSWORD={S}",
        f"could not connect to postgresql://wnis:{S}@db.test:5432/wnis",
        f"neo4j+s://neo4j:a@b{S}@graph.test",
        f"redis://:{S}@cache.test/0",
        f"wnis_0123456789abcdef_{S}{S}{S}",
        f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.{S}",
        '{"password": "with \\" a quote ' + S + '"}',
    ],
)
def test_credentials_are_taken_out(text: str) -> None:
    told = Redaction()(text)
    assert S not in told
    assert "[redacted]" in told


@pytest.mark.parametrize(
    "text",
    [
        "GET /api/v1/components/net:pipe:12 200",
        "job job-1 of kind import failed: [PIPES] line 12: unknown node 'J:1'",
        "the key of the row is missing",
        "authentication took 12 ms",
        "http://127.0.0.1:8101/health does not answer",
        "see https://example.org/a@b",
        "component keyhole-7: token ring valve",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert Redaction(["a-secret-of-ours"])(text) == text


def test_a_secret_of_our_own_is_found_wherever_it_stands() -> None:
    assert Redaction([S])(f"odd: <{S}>{S[::-1]}") == f"odd: <[redacted]>{S[::-1]}"
    # nobody's log is made unreadable by an empty or tiny value
    assert Redaction(["", "a"])("a day") == "a day"


def test_every_part_of_a_line_is_redacted_and_every_field_is_known() -> None:
    try:
        try:
            raise ValueError(f"postgresql://wnis:{S}@db/wnis")
        except ValueError as inner:
            raise RuntimeError(f"token={S}") from inner
    except RuntimeError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, "", 1, "%s", (f"password={S}",), (type(error), error, error.__traceback__)
        )
    record.__dict__.update({"url.path": f"/x/token={S}", "event.duration": 5, "nothing_of_ours": S})
    line = JsonFormatter("api").format(record)
    assert S not in line
    document = json.loads(line)
    assert document.keys() <= {field.name for field in FIELDS}
    assert (document["error.type"], document["error.message"]) == ("RuntimeError", "token=[redacted]")
    # the format by which Fluent Bit reads it
    assert datetime.strptime(document["@timestamp"], "%Y-%m-%dT%H:%M:%S.%f%z") <= datetime.now(UTC)
    assert "ValueError" in document["error.stack_trace"]
