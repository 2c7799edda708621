"""When a user does not want to be disturbed, by the clock on their wall. Pure.

A moment is quiet if the local date and time are in a window. So a window is right on the days on which the clocks
change: it begins and ends when the clock shows these times, and where the clock shows a time of the window twice, both
are quiet. A window belongs to the day on which it begins.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from publisher_api.preferences.quiet_hours import Window

Windows = tuple[Window, ...]

# Each hour of a week comes within two weeks, also where a change of the clocks skips it in one; and one for the edges.
_DAYS_AHEAD = 21
_DAY = timedelta(days=1)
# Notifications that are accepted together ask for the same: the environment's windows, and a few time zones.
_REMEMBERED = 4096


def is_quiet(now: datetime, windows: Windows, zone: ZoneInfo) -> bool:
    """Whether ``now`` is in one of the windows."""
    local = now.astimezone(zone)
    today, clock = local.date(), local.strftime("%H:%M")
    return any(_holds(window, today, clock) for window in windows)


@lru_cache(_REMEMBERED)
def end_of_quiet(now: datetime, windows: Windows, zone: ZoneInfo) -> datetime:
    """The first moment from ``now`` on, in UTC, that is not quiet.

    Windows without a free moment in the week are refused when they are stored.
    """
    if not is_quiet(now, windows, zone):
        return now
    first = now.astimezone(zone).date() - _DAY
    for day in (first + number * _DAY for number in range(_DAYS_AHEAD)):
        for moment in _ends_on(day, windows, zone):
            if moment > now and not is_quiet(moment, windows, zone):
                return moment
    message = f"no moment of {_DAYS_AHEAD} days is free of {windows}"
    raise ValueError(message)


def _holds(window: Window, today: date, clock: str) -> bool:
    if not window.over_midnight:
        return window.begins_on(today) and window.start <= clock < window.end
    return (window.begins_on(today) and clock >= window.start) or (
        window.begins_on(today - _DAY) and clock < window.end
    )


def _ends_on(day: date, windows: Windows, zone: ZoneInfo) -> list[datetime]:
    """The moments of the day at which a window may end. Some may be the ends of no window."""
    clocks = {time.fromisoformat(window.end) for window in windows}
    return sorted(moment for clock in clocks for moment in moments_of(datetime.combine(day, clock), zone))


def moments_of(local: datetime, zone: ZoneInfo) -> list[datetime]:
    """When the clock shows ``local``, in UTC: once or twice; where it skips this time, the moment at which it does."""
    earlier, later = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if earlier <= later:
        return [earlier] if earlier == later else [earlier, later]
    # The clock skips this time. The change is between the two, and is the first moment with the offset after it.
    before, after = later, earlier
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        before, after = (middle, after) if middle.astimezone(zone).utcoffset() == offset else (before, middle)
    return [after.replace(microsecond=0)]
