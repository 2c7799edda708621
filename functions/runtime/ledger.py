"""The ledger: who is sending a delivery, and how it ended, so that nothing is sent twice.

::

    (nothing) ──▶ claimed ──▶ finished
                   │   ▲
                   ▼   │ claim again; a dead lease is taken over
                 released

One document a key, and only operations that stay fast under contention: ``create()`` to claim, and updates on the
condition that the document has not changed since it was read. A read-modify-write transaction collapses when many
workers meet. ``doubts`` counts the holders that may have reached the person: those that died, and those that a provider
never answered. After each of these the key rests, longer every time, lest a provider that is merely slow sends all of
them.
"""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from google.api_core.exceptions import AlreadyExists, FailedPrecondition, NotFound
from google.cloud.firestore import Client, DocumentReference, DocumentSnapshot

from functions.runtime.google_api import CALL, delivery_errors
from shared import outcomes
from shared.outcomes import Outcome

COLLECTION = "deliveries"
KEPT_FOR = timedelta(days=14)
"""How long a document is kept: twice as long as Pub/Sub keeps a message."""
_FIRST_REST = timedelta(seconds=15)
_LONGEST_REST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Claimed:
    """The key is ours for a lease. ``version`` is the ledger's own mark of this claim."""

    key: str
    doubts: int
    version: Any

    @property
    def uncertain(self) -> bool:
        """Whether an earlier holder may have reached the person."""
        return self.doubts > 0


@dataclass(frozen=True, slots=True)
class Held:
    """Another worker has it, or was quicker."""


@dataclass(frozen=True, slots=True)
class Resting:
    """An earlier attempt may have reached the person, and the next is not to be made before ``until``."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Finished:
    """It ended already, with this outcome."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Unfinished:
    """No end was recorded. ``uncertain``: a worker that died, or an ambiguous attempt, may have reached the person."""

    uncertain: bool


class Ledger(Protocol):
    """Every method may raise ``Retryable`` or ``CredentialsRefused`` when the ledger cannot be reached."""

    def claim(self, key: str, now: datetime) -> Claimed | Held | Resting | Finished:
        """Claim ``key`` for a lease from ``now``, unless it is finished, held or resting."""
        ...

    def release(self, claim: Claimed, now: datetime, *, uncertain: bool) -> None:
        """Give a claim back for the next attempt. A claim that was taken over meanwhile is left alone.

        ``uncertain``: this attempt may have reached the person, so the key rests (``rest``).
        """
        ...

    def finish(self, claim: Claimed, outcome: Outcome) -> None:
        """Record the end. It holds even if the claim was taken over meanwhile: it is what happened."""
        ...


def rest(doubts: int) -> timedelta:
    """How long a key rests after that many attempts, the last of which may have reached the person.

    >>> [int(rest(doubts).total_seconds()) for doubts in (1, 2, 3, 99)]
    [15, 30, 60, 3600]
    """
    doublings = min(doubts - 1, 16)
    return min(_FIRST_REST * (1 << doublings), _LONGEST_REST)


class NoLedger:
    """For a provider that is a ledger by itself: it takes the same delivery twice and keeps one (the inbox)."""

    def claim(self, key: str, now: datetime) -> Claimed:  # noqa: ARG002 - the port's signature
        return Claimed(key, doubts=0, version=None)

    def release(self, claim: Claimed, now: datetime, *, uncertain: bool) -> None:
        pass

    def finish(self, claim: Claimed, outcome: Outcome) -> None:
        pass


class FirestoreLedger:
    """The ledger in Firestore's ``deliveries``, with ``expire_at`` for Firestore's time-to-live policy."""

    def __init__(self, client: Client, lease: timedelta) -> None:
        self._client = client
        self._lease = lease

    def claim(self, key: str, now: datetime) -> Claimed | Held | Resting | Finished:
        holder = uuid.uuid4().hex
        claimed = {"state": "claimed", "holder": holder, "lease_until": now + self._lease, "expire_at": now + KEPT_FOR}
        document = document_of(self._client, key)
        with delivery_errors("ledger"):
            try:
                written = document.create({**claimed, "doubts": 0}, **CALL)
                return Claimed(key, doubts=0, version=written.update_time)
            except AlreadyExists:
                found = document.get(**CALL)
            return self._claim_again(key, found, claimed, now)

    def _claim_again(
        self, key: str, found: DocumentSnapshot[DocumentReference], claimed: dict[str, Any], now: datetime
    ) -> Claimed | Held | Resting | Finished:
        fields = found.to_dict()
        if fields is None:  # its time to live ended between our two looks
            return Held()
        if fields["state"] == "finished":
            return Finished(outcomes.decode(fields["outcome"].encode()))
        if fields["holder"] == claimed["holder"]:  # the client repeated a create() whose answer was lost
            return Claimed(key, doubts=0, version=found.update_time)
        if fields["lease_until"] > now:
            return Held() if fields["state"] == "claimed" else Resting(fields["lease_until"])
        doubts = _doubts(fields)
        try:
            unchanged = self._client.write_option(last_update_time=found.update_time)
            written = found.reference.update({**claimed, "doubts": doubts}, option=unchanged, **CALL)
        except (FailedPrecondition, NotFound):
            return Held()
        return Claimed(key, doubts=doubts, version=written.update_time)

    def release(self, claim: Claimed, now: datetime, *, uncertain: bool) -> None:
        doubts = claim.doubts + uncertain
        lease_until = now + rest(doubts) if uncertain else now
        fields = {"state": "released", "doubts": doubts, "lease_until": lease_until}
        unchanged = self._client.write_option(last_update_time=claim.version)
        with delivery_errors("ledger"):
            try:
                document_of(self._client, claim.key).update(fields, option=unchanged, **CALL)
            except (FailedPrecondition, NotFound):
                return

    def finish(self, claim: Claimed, outcome: Outcome) -> None:
        fields = {
            "state": "finished",
            "outcome": outcomes.encode(outcome).decode(),
            "expire_at": outcome.at + KEPT_FOR,
        }
        with delivery_errors("ledger"):
            document_of(self._client, claim.key).set(fields, merge=True, **CALL)


def document_of(client: Client, key: str) -> DocumentReference:
    """Where ``key`` stands.

    Keys begin with the time, and ids that grow with it would all be written to one end of the collection, which takes
    about 500 writes a second. So an id begins with a hash.
    """
    spread = hashlib.sha256(key.encode()).hexdigest()[:4]
    return client.collection(COLLECTION).document(f"{spread}.{key}")


def _doubts(fields: dict[str, Any]) -> int:
    """A holder that left without a word is one more."""
    doubts: int = fields["doubts"]
    return doubts + 1 if fields["state"] == "claimed" else doubts


def look_up(client: Client, key: str) -> Finished | Unfinished:
    """What is known of ``key``, without claiming it. Raises ``Retryable`` or ``CredentialsRefused``."""
    with delivery_errors("ledger"):
        fields = document_of(client, key).get(**CALL).to_dict()
    if fields is None:
        return Unfinished(uncertain=False)
    if fields["state"] == "finished":
        return Finished(outcomes.decode(fields["outcome"].encode()))
    return Unfinished(uncertain=_doubts(fields) > 0)
