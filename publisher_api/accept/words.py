"""What is said where a request names no template: the event in plain words."""

from datetime import datetime
from typing import Any

from publisher_api.accept.request import NotificationRequest

_MAX_SMS = 1600
# A phone shows less still; and in four bytes a character it is half of what FCM takes.
_MAX_PUSH = 500


def default_words(kind: str, request: NotificationRequest, notification_id: str, now: datetime) -> dict[str, Any]:
    """Content for ``kind``: ``payment`` with ``{"amount": 10}`` reads "Payment" and "amount: 10".

    A webhook gets the event itself, in the shape that Standard Webhooks recommends (``type``, ``timestamp``, ``data``).
    """
    title = _title(request.event_type)
    lines = [f"{name}: {value}" for name, value in request.payload.items()]
    match kind:
        case "email":
            return {"subject": title, "text": "\n".join(lines) or title}
        case "sms":
            return {"text": (f"{title}. {', '.join(lines)}" if lines else title)[:_MAX_SMS]}
        case "webhook":
            data = {
                "notification_id": notification_id,
                "user_id": request.user_id,
                "actor_user_id": request.actor_user_id,
                "payload": request.payload,
            }
            return {"body": {"type": request.event_type, "timestamp": now.isoformat(), "data": data}}
        case "push":
            return {"title": title, "body": "\n".join(lines)[:_MAX_PUSH]}
        case _:
            return {"title": title, "body": "\n".join(lines)}


def _title(event_type: str) -> str:
    words = event_type
    for separator in "_.-:":
        words = words.replace(separator, " ")
    return " ".join(words.split()).capitalize() or event_type
