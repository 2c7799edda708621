"""Step 7, limit: the tokens that a planned notification takes, and what becomes of it when a bucket has none.

The producer's limit refuses the request (``accept/limiting.py``). The rules here decide about the deliveries of one
that is accepted (docs/decisions/0042).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from publisher_api.configuration import Configuration
from publisher_api.event_types.model import EventType
from publisher_api.limits.model import Limits
from publisher_api.limits.tokens import Bucket, Claim, Grant
from publisher_api.notifications.records import DeliveryRecord
from publisher_api.planning.plan import Plan
from shared.lanes import is_urgent
from shared.reasons import Reason
from shared.topology import TOPOLOGY


def claim_of(plan: Plan, producer: str, configuration: Configuration) -> Claim:
    """The tokens that the notification takes when it is accepted. Its producer's is the first."""
    limits = configuration.limits
    of_producer = limits.of_producer(producer)
    event_type = configuration.event_types.get(plan.notification.event_type)
    return Claim(
        producer=Bucket(key=f"producer:{producer}", limit=of_producer) if of_producer else None,
        user=_bucket_of_user(plan, limits) if counts_for_its_user(plan, event_type) else None,
        channels=[bucket for _, bucket in _sent_now(plan, limits)],
    )


def counts_for_its_user(plan: Plan, event_type: EventType | None) -> bool:
    """Whether the user's limit holds for it: not if it is mandatory or urgent, nor if all of it is suppressed."""
    if (event_type is not None and event_type.mandatory) or is_urgent(plan.notification.priority):
        return False
    return any(delivery.status == "pending" for delivery in plan.deliveries)


def limited(plan: Plan, grant: Grant, limits: Limits) -> Plan:
    """The plan with what the limits of its user and its channels make of its deliveries."""
    if grant.refused_by_user:
        deliveries = [the_user_has_had_enough(delivery) for delivery in plan.deliveries]
        notification = msgspec.structs.replace(plan.notification, inbox_at=None)
        return msgspec.structs.replace(plan, notification=notification, deliveries=deliveries)
    if not any(grant.waits) and None not in grant.waits:  # most
        return plan
    waits = {
        delivery.delivery_id: wait
        for (delivery, _), wait in zip(_sent_now(plan, limits), grant.waits, strict=True)
        if wait != timedelta()
    }
    deliveries = [
        the_channel_sends_later(delivery, waits[delivery.delivery_id], delivery.due_at)
        if delivery.delivery_id in waits
        else delivery
        for delivery in plan.deliveries
    ]
    return msgspec.structs.replace(plan, deliveries=deliveries)


def the_user_has_had_enough(delivery: DeliveryRecord) -> DeliveryRecord:
    """A delivery of a notification for which its user's bucket has no token."""
    return _suppressed(delivery, Reason.USER_LIMIT) if delivery.status == "pending" else delivery


def the_channel_sends_later(delivery: DeliveryRecord, wait: timedelta | None, now: datetime) -> DeliveryRecord:
    """A delivery whose channel has a token for it after ``wait``; None: not within the channel type's time to live.

    Suppressed if it expires before.
    """
    until = now + wait if wait is not None else None
    if until is None or until >= delivery.expires_at:
        return _suppressed(delivery, Reason.CHANNEL_LIMIT)
    return msgspec.structs.replace(delivery, reason=Reason.CHANNEL_LIMIT, deferred_until=until, sweep_at=until)


def bucket_of_channel(delivery: DeliveryRecord, limits: Limits) -> Bucket | None:
    """The bucket of the delivery's channel, if that is limited. What has no token waits for one while it is of use."""
    limit = limits.of_channel(delivery.channel)
    if limit is None:
        return None
    queue_seconds = TOPOLOGY[delivery.channel_type].time_to_live_seconds
    return Bucket(key=f"channel:{delivery.channel}", limit=limit, queue_seconds=queue_seconds)


def takes_its_token_when_due(delivery: DeliveryRecord, accepted_at: datetime | None) -> bool:
    """Whether it was scheduled for later than it was accepted, and has not taken its channel's token since."""
    scheduled = accepted_at is not None and delivery.due_at > accepted_at
    return scheduled and delivery.status == "pending" and delivery.round == 0 and delivery.deferred_until is None


def _sent_now(plan: Plan, limits: Limits) -> Iterator[tuple[DeliveryRecord, Bucket]]:
    """The deliveries on limited channels that are sent at once. What is scheduled takes its token when it is due."""
    if not limits.by_channel:
        return
    for delivery in plan.deliveries:
        if delivery.status == "pending" and not takes_its_token_when_due(delivery, plan.notification.accepted_at):
            bucket = bucket_of_channel(delivery, limits)
            if bucket is not None:
                yield delivery, bucket


def _bucket_of_user(plan: Plan, limits: Limits) -> Bucket | None:
    limit = limits.of_each_user
    return Bucket(key=f"user:{plan.notification.user_id}", limit=limit) if limit else None


def _suppressed(delivery: DeliveryRecord, reason: Reason) -> DeliveryRecord:
    return msgspec.structs.replace(delivery, status="suppressed", reason=reason)
