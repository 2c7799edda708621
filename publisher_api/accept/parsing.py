"""Parses request bodies into notification requests. Pure."""

from collections.abc import Sequence

import msgspec
from pydantic import ValidationError

from publisher_api.json_body import parse_json, unstorable
from publisher_api.notifications.request import NotificationRequest
from publisher_api.principal import Principal
from publisher_api.refusal import Refusal, RefusalCode, invalid
from publisher_api.validation import refusal_of

MAX_BODY_BYTES = 256 * 1024
MAX_BATCH = 1000
MAX_BATCH_BYTES = 8 * 1024 * 1024


def parse(body: bytes) -> NotificationRequest:
    """The one request in a JSON body. Raises ``Refusal``."""
    document = parse_json(body)
    if refusal := unstorable(document, body):
        raise refusal
    try:
        return NotificationRequest.model_validate(document)
    except ValidationError as error:
        raise refusal_of(error) from None


def parse_batch(body: bytes) -> list[NotificationRequest | Refusal]:
    """The items of ``{"notifications": […]}`` (or of a bare array): each a request or its refusal.

    Raises ``Refusal`` when the body has no such array.
    """
    document = parse_json(body)
    items = document.get("notifications") if isinstance(document, dict) else document
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_BATCH:
        raise invalid("notifications", f"must be an array of 1 to {MAX_BATCH} notifications")
    return [_item(item, ("notifications", str(index))) for index, item in enumerate(items)]


def in_tenant(
    items: Sequence[NotificationRequest | Refusal], caller: Principal, *, batch: bool
) -> Sequence[NotificationRequest | Refusal]:
    """The items, each of the tenant of the caller's credential, if it has one; a refusal for an item of another."""
    if caller.tenant is None:
        return items
    return [
        item
        if isinstance(item, Refusal)
        else _in_tenant(item, caller, f"notifications.{index}.tenant" if batch else "tenant")
        for index, item in enumerate(items)
    ]


def _in_tenant(item: NotificationRequest, caller: Principal, field: str) -> NotificationRequest | Refusal:
    try:
        return item.model_copy(update={"tenant": caller.tenant_of(item.tenant, field)})
    except Refusal as refusal:
        return refusal


def _item(item: object, path: tuple[str, ...]) -> NotificationRequest | Refusal:
    encoded = msgspec.json.encode(item)
    if len(encoded) > MAX_BODY_BYTES:
        message = f"a notification may have at most {MAX_BODY_BYTES // 1024} KB"
        return invalid(".".join(path), message, RefusalCode.TOO_LARGE)
    if refusal := unstorable(item, encoded, path):
        return refusal
    try:
        return NotificationRequest.model_validate(item)
    except ValidationError as error:
        return refusal_of(error, path)
