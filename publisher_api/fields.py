"""Field types that several request models share. Each validates, normalises, and is described in the API's schema."""

import re
from datetime import UTC, datetime
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

import langcodes
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from publisher_api import addresses

_WRITTEN_OUT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")


def _written_out(time: object) -> object:
    # Pydantic would also accept numbers as seconds since 1970: 20270101 would be a day in 1970.
    if isinstance(time, datetime) or (isinstance(time, str) and _WRITTEN_OUT.match(time)):
        return time
    raise ValueError("must be a time with its offset, like 2027-01-31T09:00:00+01:00")


def _whole(number: object) -> object:
    # JSON has one kind of number: 3.0 is an integer there, and "3" is none.
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _as_utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("out of range") from None


def _each_once(names: list[str]) -> list[str]:
    if len(set(names)) != len(names):
        raise ValueError("each channel may be named once")
    return names


@cache
def _timezones() -> frozenset[str]:
    # Reads the names of hundreds of files.
    return frozenset(available_timezones())


def _timezone(name: str) -> str:
    if name not in _timezones():
        raise ValueError("not a time zone of the IANA database, like Europe/Paris")
    return name


def language_tag(tag: str) -> str:
    """``tag`` as BCP 47 writes it: ``pt-br`` is ``pt-BR``. Raises ``ValueError``."""
    try:
        return langcodes.standardize_tag(tag)
    except ValueError:
        raise ValueError("not a language tag of BCP 47, like en-GB") from None


UserId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=addresses.MAX_USER_ID,
        examples=["u1"],
        description="1 to 128 printable characters, no slash.",
        json_schema_extra={"format": "user-id"},
    ),
    AfterValidator(addresses.user_id),
]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
Key = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[ -~]+$")]
Time = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_as_utc)]
Timezone = Annotated[
    str,
    Field(description="IANA, like Europe/Paris", json_schema_extra={"format": "timezone"}),
    AfterValidator(_timezone),
]
Locale = Annotated[
    str,
    Field(max_length=35, description="BCP 47, like en-GB", json_schema_extra={"format": "locale"}),
    AfterValidator(language_tag),
]
MAX_VERSION = 2**31 - 1
WHOLE = BeforeValidator(_whole)
"""For an integer that is otherwise strict."""
Version = Annotated[int, Field(ge=1, le=MAX_VERSION, strict=True), WHOLE]
MAX_CHANNELS = 20
Channels = Annotated[
    list[Name],
    Field(max_length=MAX_CHANNELS, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_each_once),
]
MAX_DAYS = 36_500
Days = Annotated[int, Field(ge=1, le=MAX_DAYS, strict=True), WHOLE]
