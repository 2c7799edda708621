"""The ledger: who is sending a delivery, and how it ended, so that nothing is sent twice.

::

    (nothing) ──▶ claimed ──▶ finished
                   │   ▲
                   ▼   │ claim again; a dead lease is taken over
                 released

One document a key, and only operations that stay fast under contention: ``create()`` to claim, and updates on the
condition that the document has not changed since it was read. A read-modify-write transaction collapses when many
workers meet. ``uncertain`` says that an earlier holder may have reached the person; once true, it stays.
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


@dataclass(frozen=True, slots=True)
class Claimed:
    """The key is ours for a lease. ``version`` is the ledger's own mark of this claim."""

    key: str
    uncertain: bool
    version: Any


@dataclass(frozen=True, slots=True)
class Held:
    """Another worker has it, or was quicker."""


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

    def claim(self, key: str, now: datetime) -> Claimed | Held | Finished:
        """Claim ``key`` for a lease from ``now``, unless it is finished or held."""
        ...

    def release(self, claim: Claimed, *, uncertain: bool) -> None:
        """Give a claim back for the next attempt. A claim that was taken over meanwhile is left alone."""
        ...

    def finish(self, claim: Claimed, outcome: Outcome) -> None:
        """Record the end. It holds even if the claim was taken over meanwhile: it is what happened."""
        ...


class NoLedger:
    """For a provider that is a ledger by itself: it takes the same delivery twice and keeps one (the inbox)."""

    def claim(self, key: str, now: datetime) -> Claimed:  # noqa: ARG002 - the port's signature
        return Claimed(key, uncertain=False, version=None)

    def release(self, claim: Claimed, *, uncertain: bool) -> None:
        pass

    def finish(self, claim: Claimed, outcome: Outcome) -> None:
        pass


class FirestoreLedger:
    """The ledger in Firestore's ``deliveries``, with ``expire_at`` for Firestore's time-to-live policy."""

    def __init__(self, client: Client, lease: timedelta) -> None:
        self._client = client
        self._lease = lease

    def claim(self, key: str, now: datetime) -> Claimed | Held | Finished:
        holder = uuid.uuid4().hex
        claimed = {"state": "claimed", "holder": holder, "lease_until": now + self._lease, "expire_at": now + KEPT_FOR}
        document = document_of(self._client, key)
        with delivery_errors("ledger"):
            try:
                written = document.create({**claimed, "uncertain": False}, **CALL)
                return Claimed(key, uncertain=False, version=written.update_time)
            except AlreadyExists:
                found = document.get(**CALL)
            return self._claim_again(key, found, claimed, now)

    def _claim_again(
        self, key: str, found: DocumentSnapshot[DocumentReference], claimed: dict[str, Any], now: datetime
    ) -> Claimed | Held | Finished:
        fields = found.to_dict()
        if fields is None:  # its time to live ended between our two looks
            return Held()
        if fields["state"] == "finished":
            return Finished(outcomes.decode(fields["outcome"].encode()))
        if fields["holder"] == claimed["holder"]:  # the client repeated a create() whose answer was lost
            return Claimed(key, uncertain=False, version=found.update_time)
        if fields["state"] == "claimed" and fields["lease_until"] > now:
            return Held()
        uncertain = fields["uncertain"] or fields["state"] == "claimed"
        try:
            unchanged = self._client.write_option(last_update_time=found.update_time)
            written = found.reference.update({**claimed, "uncertain": uncertain}, option=unchanged, **CALL)
        except (FailedPrecondition, NotFound):
            return Held()
        return Claimed(key, uncertain=uncertain, version=written.update_time)

    def release(self, claim: Claimed, *, uncertain: bool) -> None:
        fields = {"state": "released", "uncertain": claim.uncertain or uncertain}
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


def look_up(client: Client, key: str) -> Finished | Unfinished:
    """What is known of ``key``, without claiming it. Raises ``Retryable`` or ``CredentialsRefused``."""
    with delivery_errors("ledger"):
        fields = document_of(client, key).get(**CALL).to_dict()
    if fields is None:
        return Unfinished(uncertain=False)
    if fields["state"] == "finished":
        return Finished(outcomes.decode(fields["outcome"].encode()))
    return Unfinished(uncertain=fields["uncertain"] or fields["state"] == "claimed")
