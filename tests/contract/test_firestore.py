"""What is Firestore's own: the documents of the ledger and of the inboxes."""

import dataclasses
import json
from datetime import timedelta
from pathlib import Path

import pytest
import uuid_utils
from google.cloud.firestore import Client

from functions.google.inbox import FirestoreInbox, inbox_of
from functions.google.ledger import COLLECTION, FirestoreLedger, document_of
from functions.runtime.ledger import Claimed
from shared.inbox import KEPT_FOR
from tests.contract.inboxes import ENTRY, LATER
from tests.factories import NOON, make_outcome

pytestmark = pytest.mark.emulators

LEASE = timedelta(seconds=90)
KEY = "d.1"


def test_entry_of_the_ledger_has_an_expiry_time(firestore: Client) -> None:
    FirestoreLedger(firestore, LEASE).claim(KEY, NOON)
    assert document_of(firestore, KEY).get().get("expire_at") > NOON + timedelta(days=7)


def test_no_field_is_indexed(firestore: Client) -> None:
    # No query uses them, and an index on a value that grows with time is a hot range.
    ledger = FirestoreLedger(firestore, LEASE)
    claim = ledger.claim(KEY, NOON)
    assert isinstance(claim, Claimed)
    ledger.finish(claim, make_outcome(detail="✓"))
    declared = json.loads((Path(__file__).parents[2] / "firestore.ledger.indexes.json").read_bytes())["fieldOverrides"]
    bare = {each["fieldPath"] for each in declared if each["collectionGroup"] == COLLECTION and not each["indexes"]}
    assert set(document_of(firestore, KEY).get().to_dict() or {}) == bare


def test_keys_of_one_moment_are_spread_over_the_collection(firestore: Client) -> None:
    ids = {document_of(firestore, f"{uuid_utils.uuid7()}.0").id for _ in range(500)}
    assert len({each[0] for each in ids}) == 16


def test_entry_of_an_inbox_has_an_expiry_time(firestore: Client) -> None:
    FirestoreInbox(firestore).put("ada", ENTRY)
    document = inbox_of(firestore, "ada").document("n1").get().to_dict()
    assert document == {**dataclasses.asdict(ENTRY), "expire_at": LATER + KEPT_FOR}
