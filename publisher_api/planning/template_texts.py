"""Filters of our own: a link that is safe to follow, a text on one line, and a time in a user's time zone. Pure."""

import re
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2.exceptions import SecurityError
from markupsafe import Markup, escape

from shared.content import is_https

_TIME = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:.*)?")
_CUT = "..."  # not the character for it: a text message with that one has segments of less than half the length
# Not by strftime: its names depend on the locale of the process.
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def https(value: object) -> str:
    """The link itself. Raises ``SecurityError`` for all other texts, ``javascript:`` links and paths among them."""
    link = value if isinstance(value, str) else str(value)  # a missing variable raises its own error here
    if not is_https(link):
        raise SecurityError("a link must start with https:// and have no spaces")
    return link


def line(value: object, length: int) -> str:
    """The value as one line of at most ``length`` characters; its end is replaced by three dots if it is longer.

    Line breaks and repeated spaces become one space each.
    """
    if length < len(_CUT):
        raise SecurityError(f"a line has at least {len(_CUT)} characters")
    if isinstance(value, Markup):  # cut between two characters of its text, not inside of an entity
        return escape(line(value.unescape(), length))
    text = " ".join(str(value).split())
    return text if len(text) <= length else text[: length - len(_CUT)].rstrip() + _CUT


def local_time(value: object, timezone: str | None) -> str:
    """``2026-12-01T14:03:00Z`` as "1 December 2026, 14:03 UTC", in ``timezone`` if there is one.

    A date has no time of day, and a time without an offset is shown as it is written. Other texts stay as they are:
    they may be formatted already. Raises ``SecurityError`` for a time zone that does not exist.
    """
    text = str(value)
    if not _TIME.fullmatch(text):
        return text
    zone = _zone(timezone) if timezone else UTC
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            moment = moment.astimezone(zone)
    except (ValueError, OverflowError):
        return text
    if len(text) == len("2026-12-01"):
        return _day(moment)
    name = moment.tzname() or ""
    if name.startswith(("+", "-")):  # many zones have no abbreviation
        name = f"UTC{name}"
    return f"{_day(moment)}, {moment:%H:%M} {name}".rstrip()


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SecurityError("there is no time zone of this name") from None


def _day(moment: date) -> str:
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"
