"""What a chat service shows of a notification: a title and a text, cut to what the service takes."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from shared.channel_types import Event
from shared.envelope import Delivery

Body = dict[str, Any]
_TITLE_CHARACTERS = 200
_CUT = "…"


class ChatMessage(NamedTuple):
    """``title`` has one line at least; ``text`` may be empty."""

    title: str
    text: str


def chat_message(delivery: Delivery, body: Mapping[str, Any]) -> ChatMessage:
    """``title`` and ``text`` of the content's ``body``; without them, the event type and the payload in lines."""
    title, text = (value if isinstance(value := body.get(name), str) else "" for name in ("title", "text"))
    event = Event(
        notification_id=delivery.notification_id,
        event_type=delivery.event_type,
        user_id=delivery.user_id,
        actor_user_id=delivery.actor_user_id,
        payload=delivery.payload,
        created_at=delivery.created_at,
    )
    if not title and not text:
        text = "\n".join(event.lines)
    return ChatMessage(title or event.title, text)


def fitting(message: ChatMessage, write: Callable[[ChatMessage], Body], fits: Callable[[Body], bool]) -> Body:
    """What ``write`` makes of as much of the message as fits. What is cut off is marked with an ellipsis."""
    whole = write(message)
    if fits(whole):
        return whole
    title = message.title if len(message.title) <= _TITLE_CHARACTERS else message.title[:_TITLE_CHARACTERS] + _CUT
    shortest, longest = 0, len(message.text)
    while shortest < longest:
        middle = (shortest + longest + 1) // 2
        if fits(write(ChatMessage(title, message.text[:middle] + _CUT))):
            shortest = middle
        else:
            longest = middle - 1
    return write(ChatMessage(title, message.text[:shortest] + _CUT))
