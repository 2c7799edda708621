"""Quiet hours by the clock on the wall, against a reference that looks at every minute."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from publisher_api.planning.quiet_hours import end_of_quiet, is_quiet
from publisher_api.preferences.quiet_hours import DAYS, QuietHours, QuietHoursFields, WindowFields

MINUTE = timedelta(minutes=1)
# Both changes of the clocks in 2026, a change of half an hour, one in Ramadan, and zones without any.
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kolkata", "UTC")

clocks = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))
windows = st.lists(
    st.fixed_dictionaries(
        {"start": clocks, "end": clocks},
        optional={"days": st.lists(st.sampled_from(DAYS), min_size=1, unique=True)},
    ),
    min_size=1,
    max_size=3,
)
# The days around the changes in spring and autumn, of both hemispheres.
moments = st.builds(
    lambda day, minutes: day + minutes * MINUTE,
    st.sampled_from(
        [datetime(2026, month, day, tzinfo=UTC) for month, day in ((2, 14), (3, 7), (3, 28), (4, 4), (10, 3), (10, 24))]
    ),
    st.integers(0, 3 * 24 * 60),
)


def quiet_hours(document: list[dict[str, Any]]) -> tuple[QuietHours, set[int]] | None:
    """The windows as planning has them, and the minutes of the week that they hold; None if they are refused."""
    try:
        fields = QuietHoursFields.model_validate({"windows": document})
    except ValidationError:
        return None
    minutes: set[int] = set().union(*(window.minutes for window in fields.windows))
    return msgspec.convert(fields.model_dump(exclude_unset=True), QuietHours), minutes


def reference(now: datetime, minutes: set[int], zone: ZoneInfo) -> datetime:
    """The first minute whose local day and clock are not among ``minutes``."""
    while True:
        local = now.astimezone(zone)
        if local.weekday() * 1440 + local.hour * 60 + local.minute not in minutes:
            return now
        now += MINUTE


@settings(deadline=None)  # the reference looks at up to 10,000 minutes
@given(windows, moments, st.sampled_from(ZONES))
def test_quiet_hours_end_at_the_first_minute_that_the_clock_shows_outside_of_them(
    document: list[dict[str, Any]], now: datetime, zone_name: str
) -> None:
    known, zone = quiet_hours(document), ZoneInfo(zone_name)
    if known is None:
        return
    quiet, minutes = known
    assert end_of_quiet(now, quiet.windows, zone) == reference(now, minutes, zone)


@given(windows, moments, st.sampled_from(ZONES), st.integers(1, 59))
def test_a_moment_within_a_minute_is_as_quiet_as_its_minute(
    document: list[dict[str, Any]], now: datetime, zone_name: str, seconds: int
) -> None:
    if known := quiet_hours(document):
        windows, zone = known[0].windows, ZoneInfo(zone_name)
        assert is_quiet(now, windows, zone) is is_quiet(now + timedelta(seconds=seconds), windows, zone)


def until(zone: str, now: str, **window: Any) -> str:
    quiet = msgspec.convert({"windows": [window]}, QuietHours)
    end = end_of_quiet(datetime.fromisoformat(now), quiet.windows, ZoneInfo(zone))
    return end.astimezone(ZoneInfo(zone)).isoformat()


@pytest.mark.parametrize(
    ("now", "window", "end"),
    [
        # 29 March 2026: the clock goes from 02:00 to 03:00. A night is an hour shorter.
        ("2026-03-29T00:30:00+01:00", {"start": "22:00", "end": "07:00"}, "2026-03-29T07:00:00+02:00"),
        # The clock never shows 02:30, so the window ends when it passes this time.
        ("2026-03-29T01:30:00+01:00", {"start": "22:00", "end": "02:30"}, "2026-03-29T03:00:00+02:00"),
        # 25 October 2026: the clock goes from 03:00 back to 02:00. A night is an hour longer.
        ("2026-10-25T00:30:00+02:00", {"start": "22:00", "end": "07:00"}, "2026-10-25T07:00:00+01:00"),
        # The clock shows 02:30 twice: the window ends at the first, and is there again when the clock goes back.
        ("2026-10-25T01:30:00+02:00", {"start": "22:00", "end": "02:30"}, "2026-10-25T02:30:00+02:00"),
        ("2026-10-25T02:10:00+01:00", {"start": "22:00", "end": "02:30"}, "2026-10-25T02:30:00+01:00"),
        # A window belongs to the day on which it begins.
        (
            "2026-11-28T03:00:00+01:00",
            {"start": "22:00", "end": "08:00", "days": ["friday"]},
            "2026-11-28T08:00:00+01:00",
        ),
        (
            "2026-11-29T03:00:00+01:00",
            {"start": "22:00", "end": "08:00", "days": ["friday"]},
            "2026-11-29T03:00:00+01:00",
        ),
        # A whole day.
        (
            "2026-11-29T03:00:00+01:00",
            {"start": "00:00", "end": "00:00", "days": ["sunday"]},
            "2026-11-30T00:00:00+01:00",
        ),
        # The last second belongs to the window, and its end does not.
        ("2026-11-30T06:59:59+01:00", {"start": "22:00", "end": "07:00"}, "2026-11-30T07:00:00+01:00"),
        ("2026-11-30T07:00:00+01:00", {"start": "22:00", "end": "07:00"}, "2026-11-30T07:00:00+01:00"),
    ],
)
def test_quiet_hours_in_berlin(now: str, window: dict[str, Any], end: str) -> None:
    assert until("Europe/Berlin", now, **window) == end


def test_the_only_free_hour_of_a_week_may_be_one_that_the_clock_skips() -> None:
    """Only Sunday from 02:00 to 03:00 is free, which is over, and which the next Sunday does not have."""
    week = [{"start": "00:00", "end": "00:00", "days": [day]} for day in DAYS if day != "sunday"]
    sunday = [
        {"start": "03:00", "end": "00:00", "days": ["sunday"]},
        {"start": "00:00", "end": "02:00", "days": ["sunday"]},
    ]
    known = quiet_hours([*week, *sunday])
    assert known is not None
    zone = ZoneInfo("Europe/Berlin")
    end = end_of_quiet(datetime(2026, 3, 22, 3, 30, tzinfo=zone), known[0].windows, zone)
    assert end == datetime(2026, 4, 5, 2, tzinfo=zone)


def test_windows_that_leave_no_free_hour_are_refused() -> None:
    with pytest.raises(ValidationError, match="less than an hour of the week"):
        QuietHoursFields(windows=[WindowFields(start="07:00", end="07:00")])
    QuietHoursFields(windows=[WindowFields(start="08:00", end="07:00", days=list(DAYS))])
