"""The ledger in Firestore: one document per key in the collection ``deliveries``.

It uses only operations that stay fast under contention: ``create()`` to claim, and updates on the condition that the
document has not changed since it was read. A read-modify-write transaction collapses when many workers meet. The
field ``doubts`` counts the unconfirmed attempts.
"""

import hashlib
import uuid
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from google.api_core.exceptions import AlreadyExists, FailedPrecondition, NotFound
from google.cloud.firestore import Client, DocumentReference, DocumentSnapshot

from functions.google.calls import CALL, google_errors
from functions.runtime.ledger import Claim, Claimed, ClaimedByOther, CoolingDown, Finished, Unfinished, cooldown
from shared import outcomes
from shared.outcomes import Outcome
from shared.reasons import Reason

COLLECTION = "deliveries"
CALLS_OF_A_CLAIM = 3
KEPT_FOR = timedelta(days=14)
"""How long a document is kept: twice as long as Pub/Sub keeps a message."""


class FirestoreLedger:
    """The ledger, with ``expire_at`` for Firestore's time-to-live policy. ``lease`` is how long a claim holds."""

    def __init__(self, client: Client, lease: timedelta) -> None:
        self._client = client
        self._lease = lease

    def claim(self, key: str, now: datetime) -> Claim:
        holder = uuid.uuid4().hex
        claimed = {"state": "claimed", "holder": holder, "lease_until": now + self._lease, "expire_at": now + KEPT_FOR}
        document = document_of(self._client, key)
        with _errors():
            try:
                written = document.create({**claimed, "doubts": 0}, **CALL)
                return Claimed(key, unconfirmed_attempts=0, version=written.update_time)
            except AlreadyExists:
                found = document.get(**CALL)
            return self._claim_again(key, found, claimed, now)

    def _claim_again(
        self, key: str, found: DocumentSnapshot[DocumentReference], claimed: dict[str, Any], now: datetime
    ) -> Claim:
        fields = found.to_dict()
        if fields is None:  # Firestore deleted the expired document between our create() and our get()
            return ClaimedByOther()
        if fields["state"] == "finished":
            return Finished(outcomes.decode(fields["outcome"].encode()))
        if fields["holder"] == claimed["holder"]:  # the client repeated a create() whose response was lost
            return Claimed(key, unconfirmed_attempts=0, version=found.update_time)
        if fields["lease_until"] > now:
            return ClaimedByOther() if fields["state"] == "claimed" else CoolingDown(fields["lease_until"])
        unconfirmed = _unconfirmed_attempts(fields)
        try:
            unchanged = self._client.write_option(last_update_time=found.update_time)
            written = found.reference.update({**claimed, "doubts": unconfirmed}, option=unchanged, **CALL)
        except (FailedPrecondition, NotFound):
            return ClaimedByOther()
        return Claimed(key, unconfirmed_attempts=unconfirmed, version=written.update_time)

    def release(self, claim: Claimed, now: datetime, *, ambiguous: bool) -> None:
        unconfirmed = claim.unconfirmed_attempts + ambiguous
        lease_until = now + cooldown(unconfirmed) if ambiguous else now
        fields = {"state": "released", "doubts": unconfirmed, "lease_until": lease_until}
        unchanged = self._client.write_option(last_update_time=claim.version)
        with _errors():
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
        with _errors():
            document_of(self._client, claim.key).set(fields, merge=True, **CALL)

    def look_up(self, key: str) -> Finished | Unfinished:
        with _errors():
            fields = document_of(self._client, key).get(**CALL).to_dict()
        if fields is None:
            return Unfinished(possible_duplicate=False)
        if fields["state"] == "finished":
            return Finished(outcomes.decode(fields["outcome"].encode()))
        return Unfinished(possible_duplicate=_unconfirmed_attempts(fields) > 0)


def document_of(client: Client, key: str) -> DocumentReference:
    """The document of ``key``. Its id begins with a hash.

    Keys begin with the time. Ids that grow with time would all be written to one end of the collection, which accepts
    about 500 writes per second.
    """
    spread = hashlib.sha256(key.encode()).hexdigest()[:4]
    return client.collection(COLLECTION).document(f"{spread}.{key}")


def _unconfirmed_attempts(fields: dict[str, Any]) -> int:
    """The recorded unconfirmed attempts, and one more if the last claim was never released."""
    recorded: int = fields["doubts"]
    return recorded + 1 if fields["state"] == "claimed" else recorded


def _errors() -> AbstractContextManager[None]:
    return google_errors(refused=Reason.LEDGER_REFUSED, unavailable=Reason.LEDGER_UNAVAILABLE)
