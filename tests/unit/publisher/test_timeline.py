"""The timeline: what is stored, as the API shows it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from publisher_api.notifications.model import StoredDelivery, StoredEvent, StoredNotification
from publisher_api.notifications.timeline import timeline, view_delivery, view_detail
from tests.factories import NOON

DELIVERY = UUID(int=2)


def notification(**fields: Any) -> StoredNotification:
    known: dict[str, Any] = {
        "notification_id": UUID(int=1), "producer": "shop", "user_id": "ada", "event_type": "payment",
        "actor_user_id": None, "tenant": None, "channels": ["email"], "payload": {}, "template_name": None,
        "template_version": None, "tenant_template_version": None, "locale": None, "dedup_key": None,
        "priority": 100, "deliver_at": None, "created_at": NOON - timedelta(hours=1),
        "accepted_at": NOON, "seen_at": None, "read_at": None, "archived_at": None, "statuses": ["queued"],
    }  # fmt: skip
    return StoredNotification(**known | fields)


def delivery(**fields: Any) -> StoredDelivery:
    known: dict[str, Any] = {
        "delivery_id": DELIVERY, "channel": "email-marketing", "channel_type": "email", "round": 0, "status": "queued",
        "reason": None, "recipient": "ada@example.com", "due_at": NOON, "held_by": None,
        "expires_at": NOON + timedelta(days=1), "queued_at": NOON + timedelta(seconds=1), "deferred_until": None,
        "provider": None, "provider_message_id": None,
        "possible_duplicate": False, "updated_at": NOON,
    }  # fmt: skip
    return StoredDelivery(**known | fields)


def event(**fields: Any) -> StoredEvent:
    known: dict[str, Any] = {
        "delivery_id": DELIVERY, "result": "sent", "at": NOON + timedelta(seconds=3),
        "received_at": NOON + timedelta(seconds=2), "recorded_at": NOON + timedelta(seconds=4), "attempt": 1,
        "until": None, "reason": None, "detail": None, "provider": "sendgrid", "provider_message_id": "sg-1",
        "possible_duplicate": False,
    }  # fmt: skip
    return StoredEvent(**known | fields)


def test_the_path_of_a_delivery_is_told_in_order() -> None:
    entries = timeline(notification(), [delivery()], [event()])
    assert [entry.event for entry in entries] == ["accepted", "planned", "published", "received", "sent", "recorded"]
    assert entries[4].detail == {"attempt": 1, "provider": "sendgrid", "provider_message_id": "sg-1"}


def test_every_entry_of_a_delivery_names_its_channel_and_its_type() -> None:
    [accepted, *rest] = timeline(notification(), [delivery()], [event()])
    assert (accepted.channel, accepted.channel_type) == (None, None)
    assert {(entry.channel, entry.channel_type, entry.delivery_id) for entry in rest} == {
        ("email-marketing", "email", DELIVERY)
    }


def test_a_delivery_suppressed_by_planning_has_its_reason() -> None:
    suppressed = delivery(status="suppressed", reason="no_address", recipient=None, queued_at=None)
    [_, entry] = timeline(notification(), [suppressed], [])
    assert (entry.event, entry.detail) == ("suppressed", {"reason": "no_address"})


def test_a_delivery_suppressed_by_its_function_was_planned_and_published() -> None:
    suppressed = delivery(status="suppressed", reason="channel_off")
    entries = timeline(notification(), [suppressed], [event(result="suppressed", reason="channel_off", provider=None)])
    assert [entry.event for entry in entries][:3] == ["accepted", "planned", "published"]


def test_a_possible_duplicate_is_said() -> None:
    entries = timeline(notification(), [delivery()], [event(possible_duplicate=True)])
    [sent] = [entry for entry in entries if entry.event == "sent"]
    assert sent.detail is not None
    assert sent.detail["possible_duplicate"] is True


def test_the_notification_is_accepted_when_we_accepted_it() -> None:
    [accepted] = timeline(notification(), [], [])
    assert accepted.at == NOON


def test_a_delivery_that_waits_says_why() -> None:
    held = delivery(due_at=NOON + timedelta(hours=8), held_by="quiet_hours", queued_at=None)
    [planned] = [each for each in timeline(notification(), [held], []) if each.event == "planned"]
    assert planned.detail == {"due_at": NOON + timedelta(hours=8), "reason": "quiet_hours"}


def test_a_recipient_is_redacted() -> None:
    assert view_delivery(delivery()).recipient == "a***@example.com"
    assert view_delivery(delivery(recipient=None)).recipient is None


def test_an_open_notification_has_the_status_that_its_producer_was_answered() -> None:
    assert view_detail(notification(), [delivery()], []).status == "queued"
