"""Request bodies: parsed, or refused by field."""

import json
from typing import Any

import pytest

from publisher_api.accept.parsing import MAX_BATCH, parse, parse_batch
from publisher_api.json_body import MAX_DEPTH
from publisher_api.notifications.request import NotificationRequest
from publisher_api.refusal import Refusal, RefusalCode

SMALLEST: dict[str, Any] = {"user_id": "u1", "event_type": "payment", "channels": ["inapp"], "payload": {}}


def body(**fields: Any) -> bytes:
    return json.dumps(SMALLEST | fields).encode()


def refusal_of(data: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        parse(data)
    return caught.value


def nested(levels: int) -> dict[str, object]:
    value: dict[str, object] = {}
    for _ in range(levels - 1):
        value = {"in": value}
    return value


@pytest.mark.parametrize(
    "data", [b"", b"{", b'{"payload":NaN}', b'{"payload":1e999}', b"\xff\xfe", b'{"a":"\\ud800"}', b"[" * 100_000]
)
def test_a_body_that_is_not_json_is_refused(data: bytes) -> None:
    assert refusal_of(data).code is RefusalCode.MALFORMED_JSON


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"channels": ["inapp", "inapp"]}, "channels"),
        ({"channels": []}, "channels"),
        ({"channels": [f"c{number}" for number in range(21)]}, "channels"),
        ({"priority": 1001}, "priority"),
        ({"priority": "high"}, "priority"),
        ({"priority": "7"}, "priority"),
        ({"deliver_at": "2030-01-01T00:00:00"}, "deliver_at"),
        ({"deliver_at": "20270101"}, "deliver_at"),
        ({"deliver_at": 1800000000}, "deliver_at"),
        ({"deliver_at": "0001-01-01T00:00:00+10:00"}, "deliver_at"),
        ({"expires_at": "9999-12-31T23:59:59-10:00"}, "expires_at"),
        ({"user_id": "a/b"}, "user_id"),
        ({"user_id": "x" * 129}, "user_id"),
        ({"actor_user_id": ""}, "actor_user_id"),
        ({"notification_id": "7"}, "notification_id"),
        ({"created_at": "yesterday"}, "created_at"),
        ({"dedup_key": "\n"}, "dedup_key"),
        ({"payload": "text"}, "payload"),
        ({"payload": {"text": "\x00"}}, "payload"),
        ({"payload": {"deep": nested(MAX_DEPTH + 1)}}, "payload"),
        ({"chanels": ["inapp"]}, "chanels"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_field_that_is_not_valid_is_named(fields: dict[str, Any], field: str) -> None:
    refusal = refusal_of(body(**fields))
    assert (refusal.code, [name for name, _ in refusal.fields]) == (RefusalCode.INVALID_REQUEST, [field])


def test_a_missing_field_is_named() -> None:
    assert refusal_of(b'{"user_id":"u1"}').fields[0][0] == "event_type"


def test_a_refusal_holds_no_value_of_the_request() -> None:
    assert "secret-value" not in str(refusal_of(body(priority="secret-value")).__dict__)


def test_an_escaped_backslash_before_u0000_is_text() -> None:
    assert parse(body(payload={"t": "\\u0000"})).payload == {"t": "\\u0000"}


def test_a_batch_is_an_array_or_an_object_with_one() -> None:
    for document in ([SMALLEST], {"notifications": [SMALLEST]}):
        [item] = parse_batch(json.dumps(document).encode())
        assert isinstance(item, NotificationRequest)


@pytest.mark.parametrize("document", [{}, [], {"notifications": 7}, [SMALLEST] * (MAX_BATCH + 1)], ids=range(4))
def test_a_batch_without_one_to_a_thousand_items_is_refused(document: object) -> None:
    with pytest.raises(Refusal) as caught:
        parse_batch(json.dumps(document).encode())
    assert caught.value.fields[0][0] == "notifications"


def test_a_bad_item_is_refused_by_its_index_and_leaves_the_others_alone() -> None:
    items = [SMALLEST, SMALLEST | {"priority": -1}, SMALLEST | {"payload": {"x": "y" * 300_000}}, 7, SMALLEST]
    first, negative, large, number, last = parse_batch(json.dumps(items).encode())
    assert isinstance(first, NotificationRequest)
    assert isinstance(last, NotificationRequest)
    assert isinstance(negative, Refusal)
    assert negative.fields[0][0] == "notifications.1.priority"
    assert isinstance(large, Refusal)
    assert large.code is RefusalCode.TOO_LARGE
    assert isinstance(number, Refusal)
