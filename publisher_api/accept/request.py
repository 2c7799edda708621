"""What a producer may ask for: the canonical envelope as the public API takes it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from publisher_api import recipients
from publisher_api.errors import Problem, from_validation, invalid

MAX_BODY_BYTES = 256 * 1024
MAX_BATCH = 1000
MAX_BATCH_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 64

UserId = Annotated[str, AfterValidator(recipients.user_id)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]


def _unique(names: list[str]) -> list[str]:
    if len(set(names)) != len(names):
        raise ValueError("each channel may be named once")
    return names


def _as_utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("out of range") from None


def _written_out(time: object) -> object:
    # Pydantic would also take numbers, as seconds since 1970: 20270101 would be a day in 1970.
    if isinstance(time, datetime) or (isinstance(time, str) and _WRITTEN_OUT.match(time)):
        return time
    raise ValueError("must be a time with its offset, like 2027-01-31T09:00:00+01:00")


_WRITTEN_OUT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")
Time = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_as_utc)]
Key = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[ -~]+$")]


class NotificationRequest(BaseModel):
    """One notification for one person.

    ``channels`` are slugs. ``to`` overrides the person's address on a channel, ``content`` the template's or the
    default words (shapes: ``shared.content``); both are keyed by slug. ``deliver_at`` is when to send, ``expires_at``
    when it is no longer worth sending; both carry an offset. ``dedup_key`` is unique per producer for 24 hours.
    """

    model_config = ConfigDict(extra="forbid")

    user_id: UserId
    event_type: Name
    channels: Annotated[list[Name], Field(min_length=1, max_length=20), AfterValidator(_unique)]
    payload: dict[str, Any]
    actor_user_id: UserId | None = None
    template_name: Name | None = None
    dedup_key: Key | None = None
    priority: Annotated[int, Field(ge=0, le=1000, strict=True)] = 100
    deliver_at: Time | None = None
    expires_at: Time | None = None
    to: dict[str, str] = Field(default_factory=dict)
    content: dict[str, dict[str, Any]] = Field(default_factory=dict)


def parse_json(body: bytes) -> object:
    """The JSON in a body. Raises ``Problem``; numbers that no float can hold are refused, as are NaN and Infinity."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "malformed_json", f"The body cannot be read as JSON: {error}.") from None


def parse(body: bytes) -> NotificationRequest:
    """The one request in a JSON body. Raises ``Problem``."""
    document = parse_json(body)
    if problem := _unstorable(document, body, ()):
        raise problem
    try:
        return NotificationRequest.model_validate(document)
    except ValidationError as error:
        raise from_validation(error) from None


def parse_batch(body: bytes) -> list[NotificationRequest | Problem]:
    """The requests in ``{"notifications": […]}`` (or a bare array), each alone right or wrong. Raises ``Problem``."""
    document = parse_json(body)
    items = document.get("notifications") if isinstance(document, dict) else document
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_BATCH:
        raise invalid("notifications", f"must be an array of 1 to {MAX_BATCH} notifications")
    return [_item(item, ("notifications", str(index))) for index, item in enumerate(items)]


def _item(item: object, path: tuple[str, ...]) -> NotificationRequest | Problem:
    encoded = msgspec.json.encode(item)
    if len(encoded) > MAX_BODY_BYTES:
        return invalid(".".join(path), f"a notification may have at most {MAX_BODY_BYTES // 1024} KB", "too_large")
    if problem := _unstorable(item, encoded, path):
        return problem
    try:
        return NotificationRequest.model_validate(item)
    except ValidationError as error:
        return from_validation(error, path)


# U+0000 as JSON writes it: an escape, and no escaped backslash before it. Postgres cannot hold it in a text.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def _unstorable(document: object, encoded: bytes, path: tuple[str, ...]) -> Problem | None:
    """A problem naming the first field that nobody could store, or read again."""
    if _NUL.search(encoded):
        field = _first_field(document, lambda value: bool(_NUL.search(msgspec.json.encode(value))))
        return invalid(".".join((*path, *field)) or "body", "holds the character U+0000, which cannot be stored")
    if encoded.count(b"{") + encoded.count(b"[") > MAX_DEPTH and deeper_than(document, MAX_DEPTH):
        field = _first_field(document, lambda value: deeper_than(value, MAX_DEPTH))
        return invalid(".".join((*path, *field)) or "body", f"is nested more than {MAX_DEPTH} deep")
    return None


def _first_field(document: object, guilty: Callable[[object], bool]) -> list[str]:
    fields = document.items() if isinstance(document, dict) else ()
    return [str(name) for name, value in fields if guilty({str(name): value})][:1]


def deeper_than(value: object, levels: int) -> bool:
    """Whether JSON is nested in more than so many objects and arrays."""
    if not isinstance(value, dict | list):
        return False
    children = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(deeper_than(child, levels - 1) for child in children)
