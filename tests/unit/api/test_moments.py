"""Times as people and programs send them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError
from wnis_api.http.schemas.common import Moment

MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)


def test_a_time_is_kept_in_utc_whatever_its_offset() -> None:
    read = MOMENT.validate_python("0167-06-21T20:15:26-18:46")  # the graph knows offsets up to 18 hours only
    assert (read, read.tzinfo) == (datetime(167, 6, 22, 15, 1, 26, tzinfo=UTC), UTC)


@pytest.mark.parametrize("given", ["2026-01-31T12:00:00", "0001-01-01T00:00:00+05:00", "9999-12-31T23:00:00-05:00"])
def test_a_time_without_zone_or_outside_the_calendar_is_refused(given: str) -> None:
    with pytest.raises(ValidationError):
        MOMENT.validate_python(given)
