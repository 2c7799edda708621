"""The ports of the functions: what they need from outside. A profile provides one implementation of each.

The contract of each port is a test class in ``tests/contract``, which runs over Google's implementation, over that of
Postgres and over the fake. Every method raises ``Retryable`` when the store or transport is unavailable, and
``CredentialsRefused`` when it refuses our credentials.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from functions.runtime.inbox import InboxEntry
from functions.runtime.ledger import Claim, Claimed, Finished, Unfinished
from functions.runtime.switches import SwitchTable
from shared.outcomes import Outcome


class Ledger(Protocol):
    """Who is sending a delivery, and how it ended. A key names one delivery in one round (``Delivery.key``)."""

    def claim(self, key: str, now: datetime) -> Claim:
        """Claim ``key`` for a lease from ``now``, unless it is finished, claimed by another or cooling down."""
        ...

    def release(self, claim: Claimed, now: datetime, *, ambiguous: bool) -> None:
        """End a claim, so that the next attempt can be made. Does nothing if another worker has taken it over.

        ``ambiguous``: this attempt may have reached the user, so the key cools down (``ledger.cooldown``).
        """
        ...

    def finish(self, claim: Claimed, outcome: Outcome) -> None:
        """Record the outcome, also when another worker has taken the claim over: the outcome is what happened."""
        ...

    def look_up(self, key: str) -> Finished | Unfinished:
        """What is recorded of ``key``, without claiming it."""
        ...


class OutcomeSink(Protocol):
    """Carries outcomes to the publisher."""

    def publish(self, outcome: Outcome) -> None:
        """Publish ``outcome``; return when the transport has stored it."""
        ...


Record = Callable[[Claimed, Outcome], None]
"""Finishes a claim in the ledger, then publishes the outcome, as ``recording.record`` does one after the other."""


class ChannelSwitches(Protocol):
    """Which channels are switched on."""

    def is_on(self, channel: str, switched_on: int) -> bool:
        """Whether ``channel`` may send.

        ``switched_on`` is the version of the switches in which the publisher knew the channel to be on
        (``Delivery.switched_on``); an older table than that is ignored.
        """
        ...


class ChannelSwitchStore(Protocol):
    """Where the channel switches are stored, all of them under one version."""

    def read(self) -> SwitchTable:
        """The stored table; an empty one of version 0 if none was ever stored."""
        ...

    def write(self, table: SwitchTable) -> None:
        """Store ``table``, unless the stored one has the same or a newer version."""
        ...


class Inbox(Protocol):
    """The live inboxes of all users. ``can_have_inbox`` must hold for each user id.

    A mark that is set stays as it is. Marking as read or archived marks as seen, too.
    """

    def put(self, user_id: str, entry: InboxEntry) -> None:
        """Add ``entry``. Does nothing if the inbox holds that notification already."""
        ...

    def holds(self, user_id: str, notification_id: str) -> bool:
        """Whether the inbox of ``user_id`` has an entry of that notification, read or unread."""
        ...

    def mark_read(self, user_id: str, notification_ids: Sequence[str], at: datetime) -> int:
        """Mark unread entries as read at ``at``; return how many of the notifications the inbox does not hold."""
        ...

    def mark_all_read(self, user_id: str, at: datetime) -> None:
        """Mark every unread entry that was delivered by ``at`` as read at ``at``."""
        ...

    def mark_seen(self, user_id: str, at: datetime) -> None:
        """Mark every unseen entry that was delivered by ``at`` as seen at ``at``."""
        ...

    def mark_archived(self, user_id: str, notification_ids: Sequence[str], at: datetime) -> int:
        """Mark entries as archived at ``at``; return how many of the notifications the inbox does not hold."""
        ...

    def delete(self, user_id: str, notification_ids: Sequence[str]) -> None:
        """Delete the entries of these notifications, as far as the inbox holds them."""
        ...

    def erase(self, user_id: str, until: datetime, now: datetime) -> None:
        """Delete every entry that was accepted by ``until``. Remember ``until`` for ``TOMBSTONE_KEPT_FOR``."""
        ...

    def erased_until(self, user_id: str) -> datetime | None:
        """The latest time by which the inbox was erased, as far as it is remembered."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """One implementation of each port, and the clock (which returns aware times)."""

    ledger: Ledger
    outcomes: OutcomeSink
    record: Record
    switches: ChannelSwitches
    switch_store: ChannelSwitchStore
    inbox: Inbox
    now: Callable[[], datetime]
