"""Step 3, schedule: when the notification was created, is due, and expires."""

from datetime import datetime, timedelta

import msgspec

from publisher_api.notifications.request import NotificationRequest
from publisher_api.refusal import invalid
from shared.topology import TOPOLOGY

HORIZON = timedelta(days=366)
CLOCK_SKEW = timedelta(minutes=5)
_TIME_TO_LIVE = {name: timedelta(seconds=declared.time_to_live_seconds) for name, declared in TOPOLOGY.items()}


class Schedule(msgspec.Struct, frozen=True):
    """Aware times. ``expires_at`` is the request's, and comes before the ``time_to_live`` of its event type.

    Each channel type has a time to live as well.
    """

    created_at: datetime
    due_at: datetime
    expires_at: datetime | None
    time_to_live: timedelta | None

    def expiry_on(self, channel_type: str, due_at: datetime) -> datetime:
        """When a delivery that is due at ``due_at`` expires: at the earliest of the times that apply."""
        lifetime = due_at + _TIME_TO_LIVE[channel_type]
        if self.expires_at is not None:
            return min(lifetime, self.expires_at)
        return lifetime if self.time_to_live is None else min(lifetime, due_at + self.time_to_live)


def schedule(request: NotificationRequest, now: datetime, time_to_live: timedelta | None = None) -> Schedule:
    """The times of a request that is accepted at ``now``. ``time_to_live`` is its event type's. Raises ``Refusal``."""
    due_at = max(now, request.deliver_at or now)
    if due_at - now > HORIZON:
        raise invalid("deliver_at", f"must be within the next {HORIZON.days} days")
    if request.expires_at is not None and request.expires_at <= due_at:
        raise invalid("expires_at", "must be later than now and than deliver_at, or the notification is never sent")
    return Schedule(_created_at(request, now), due_at, request.expires_at, time_to_live)


def _created_at(request: NotificationRequest, now: datetime) -> datetime:
    created_at = request.created_at or now
    if created_at > now + CLOCK_SKEW:
        raise invalid("created_at", "must not be in the future")
    if created_at < now - HORIZON:
        raise invalid("created_at", f"must be within the last {HORIZON.days} days")
    return min(created_at, now)  # a producer's clock may be a little ahead
