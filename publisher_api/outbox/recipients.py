"""Looks up the recipients of scheduled deliveries again when they are published.

A delivery may be scheduled a year ahead. Until then the user may get another address, and the phone another owner.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from postgres.pool import Pool
from publisher_api.deliveries.service import record_outcomes
from publisher_api.outbox import store
from publisher_api.outbox.endings import without_address
from publisher_api.users.model import User
from publisher_api.users.service import load_users
from shared.addresses import AddressKind
from shared.channel_types import channel_type_named


def resolve(pool: Pool, claimed: Sequence[store.Claimed], now: datetime) -> list[store.Claimed]:
    """The deliveries with the recipients of now. Suppresses those that have none any more.

    A recipient that the request named stays as it was. Raises ``psycopg.Error``.
    """
    waiting = {notification.user_id for notification, delivery in claimed if delivery.waits_for_address}
    if not waiting:
        return list(claimed)
    users = load_users(pool, waiting)
    resolved = [(n, _resolved(d, users.get(n.user_id)) if d.waits_for_address else d) for n, d in claimed]
    with pool.connection() as connection:
        store.set_recipients(connection, [d for _, d in resolved if d.waits_for_address and d.recipient])
    record_outcomes(pool, [without_address(d, now) for _, d in resolved if not d.recipient])
    return [(n, d) for n, d in resolved if d.recipient]


def _resolved(delivery: store.ClaimedDelivery, user: User | None) -> store.ClaimedDelivery:
    return msgspec.structs.replace(delivery, recipient=_recipient(delivery, user) if user else None)


def _recipient(delivery: store.ClaimedDelivery, user: User) -> str | None:
    match channel_type_named(delivery.channel_type).address:
        case AddressKind.EMAIL:
            return user.email
        case AddressKind.PHONE:
            return user.phone
        case AddressKind.DEVICE_TOKEN:
            return delivery.recipient if delivery.recipient in user.devices else None
        case AddressKind.URL | AddressKind.USER_ID:
            return delivery.recipient
