"""A notification's story, told from the rows that its path left behind. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from shared.channel_types import channel_type_named
from shared.outcomes import notification_status

Row = dict[str, Any]


def describe(notification: Row) -> Row:
    """The notification as the API shows it: its row, with the status that its deliveries make."""
    shown = {name: value for name, value in notification.items() if name != "statuses"}
    return {**shown, "status": notification_status(notification["statuses"])}


def describe_delivery(delivery: Row) -> Row:
    """A delivery as the API shows it, with an address that one can recognise and not write to."""
    shown = {name: value for name, value in delivery.items() if name != "kind"}
    recipient = delivery["recipient"]
    return {
        **shown,
        "channel": delivery["kind"],
        "recipient": channel_type_named(delivery["kind"]).redact(recipient) if recipient else None,
    }


def timeline(notification: Row, deliveries: Iterable[Row], events: Iterable[Row]) -> list[Row]:
    """What happened, in order of time: ``at``, ``event``, and for a delivery its ``channel`` and ``delivery_id``.

    ``accepted``, then for each delivery ``planned`` or ``suppressed``, ``published``, ``received`` by its function, the
    result (``sent``, ``attempt``, ``failed`` …) with what the provider said, and ``recorded`` when the result came
    home.
    """
    story = [_entry(notification["created_at"], "accepted", None, producer=notification["producer"])]
    of = {delivery["delivery_id"]: delivery for delivery in deliveries}
    for delivery in of.values():
        planned_as_nothing = delivery["status"] == "suppressed" and delivery["queued_at"] is None
        if planned_as_nothing:
            story.append(_entry(notification["created_at"], "suppressed", delivery, reason=delivery["reason"]))
        else:
            story.append(_entry(notification["created_at"], "planned", delivery, due_at=delivery["due_at"]))
        if delivery["queued_at"]:
            story.append(_entry(delivery["queued_at"], "published", delivery))
    for event in events:
        delivery = of[event["delivery_id"]]
        if event["received_at"]:
            story.append(_entry(event["received_at"], "received", delivery, attempt=event["attempt"]))
        told = ("attempt", "reason", "detail", "provider", "provider_message_id")
        detail = {name: event[name] for name in told}
        if event["possible_duplicate"]:
            detail["possible_duplicate"] = True
        story.append(_entry(event["at"], event["result"], delivery, **detail))
        story.append(_entry(event["recorded_at"], "recorded", delivery, result=event["result"]))
    return sorted(story, key=lambda entry: entry["at"])


def _entry(at: datetime, event: str, delivery: Row | None, **detail: Any) -> Row:
    entry: Row = {"at": at, "event": event}
    if delivery is not None:
        entry |= {"channel": delivery["slug"], "delivery_id": delivery["delivery_id"]}
    if told := {name: value for name, value in detail.items() if value is not None}:
        entry["detail"] = told
    return entry
