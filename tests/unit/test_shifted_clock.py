"""A clock that is moved: by an offset, or to a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from policysync.clock import ShiftedClock, SystemClock, shift

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("+26h", timedelta(hours=26)),
        ("-3d", timedelta(days=-3)),
        ("+90s", timedelta(seconds=90)),
        ("2026-11-22T07:00:00+01:00", timedelta(0)),
        ("2026-11-23T06:00:00Z", timedelta(days=1)),
    ],
)
def test_it_is_moved_by_an_offset_or_to_a_moment(text: str, by: timedelta) -> None:
    assert shift(text, NOW) == by


@pytest.mark.parametrize("text", ["", "26h", "+h", "+26 h", "tomorrow", "2026-11-22 06:00", "+9999999d"])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        shift(text, NOW)


def test_it_goes_on_from_there() -> None:
    clock = ShiftedClock(timedelta(days=1))
    first = clock.now()
    assert timedelta(hours=23) < first - SystemClock().now() <= timedelta(days=1)
    assert clock.now() >= first
