"""The lanes in which deliveries travel. Pure.

Each lane is a topic of its own, with a subscription for each channel type, and each subscription has threads of its
own in a worker. So work of one lane never waits behind work of another one:

- ``urgent``: deliveries of notifications whose priority is at least ``URGENT_PRIORITY``
- ``normal``: all others, and the commands
- ``bulk``: what a producer sends beyond its share of the other two (``publisher_api.outbox.shares``)
"""

from enum import StrEnum

URGENT_PRIORITY = 500


class Lane(StrEnum):
    """A lane. The order is that in which they are published."""

    URGENT = "urgent"
    NORMAL = "normal"
    BULK = "bulk"


def is_urgent(priority: int) -> bool:
    """Whether a notification with this priority is urgent.

    >>> [is_urgent(priority) for priority in (0, 100, 499, 500, 1000)]
    [False, False, False, True, True]
    """
    return priority >= URGENT_PRIORITY


def topic_of(topic: str, lane: Lane) -> str:
    """The topic of ``lane``, where ``topic`` is that of the normal lane.

    >>> [topic_of("notifications", lane) for lane in Lane]
    ['notifications-urgent', 'notifications', 'notifications-bulk']
    """
    return topic if lane is Lane.NORMAL else f"{topic}-{lane}"
