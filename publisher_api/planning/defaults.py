"""Step 0, defaults: what the event type says where the request says nothing."""

from publisher_api.event_types.model import EventType
from publisher_api.notifications.request import NotificationRequest
from publisher_api.refusal import invalid


def with_defaults(request: NotificationRequest, event_type: EventType | None) -> NotificationRequest:
    """The request with the channels and the template of its event type, if it names none. Raises ``Refusal``."""
    if event_type is not None:
        missing = {
            name: getattr(event_type, name) for name in ("channels", "template_name") if not getattr(request, name)
        }
        request = request.model_copy(update=missing) if missing else request
    if not request.channels:
        message = f"name them, or give the event type its own with PUT /v1/event-types/{request.event_type}"
        raise invalid("channels", message)
    return request
