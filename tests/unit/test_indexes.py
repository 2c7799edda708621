"""Compares queries and indexes: the emulator needs no index, but production refuses every query that lacks one."""

import json
from pathlib import Path
from typing import Any

import google.auth.credentials
from google.cloud.firestore import Client, Query
from google.cloud.firestore_v1.base_query import FieldFilter

from functions.google.inbox import inbox_of, unread, unseen
from tests.factories import NOON

ROOT = Path(__file__).parents[2]
DECLARED = json.loads((ROOT / "firestore.indexes.json").read_bytes())
LEDGER = json.loads((ROOT / "firestore.ledger.indexes.json").read_bytes())

CLIENT = Client(project="p", credentials=google.auth.credentials.AnonymousCredentials())  # type: ignore[no-untyped-call] # the library has no types
INBOX = inbox_of(CLIENT, "ada")
NEWEST = INBOX.order_by("created_at", direction=Query.DESCENDING)
QUERIES = {
    "read_all": unread(INBOX, NOON),
    "seen": unseen(INBOX, NOON),
    "a client's inbox": NEWEST.limit(20),
    "the component's inbox": INBOX.order_by("delivered_at", direction=Query.DESCENDING).limit(20),
    "a client's unread": NEWEST.where(filter=FieldFilter("read_at", "==", None)).limit(20),
    "a client's unread count": INBOX.where(filter=FieldFilter("read_at", "==", None)).limit(100),
}
"""Every query that the functions and the web and mobile clients run."""


def index_of(query: Query) -> tuple[Any, ...] | None:
    """The composite index that ``query`` needs: its equalities, then its order. A single field needs none."""
    request = query._to_protobuf()  # noqa: SLF001 - the request that Firestore gets
    filters = request.where.composite_filter.filters or [request.where]
    unary = {each.unary_filter.field.field_path for each in filters} - {""}
    fields = [(name, "ASCENDING") for name in sorted(unary)]
    fields += [(order.field.field_path, order.direction.name) for order in request.order_by]
    return (request.from_[0].collection_id, *fields) if len(fields) > 1 else None


def declared() -> list[tuple[Any, ...]]:
    return [
        (index["collectionGroup"], *((field["fieldPath"], field["order"]) for field in index["fields"]))
        for index in DECLARED["indexes"]
    ]


def test_every_query_has_an_index_and_every_index_is_needed() -> None:
    assert set(declared()) == {index_of(query) for query in QUERIES.values()} - {None}


def test_no_other_module_of_the_functions_builds_a_query() -> None:
    functions = ROOT / "functions"
    querying = [path.relative_to(functions) for path in functions.rglob("*.py") if ".where(" in path.read_text()]
    assert [path.as_posix() for path in querying] == ["google/inbox.py"]


def test_ledger_and_inbox_have_a_time_to_live_policy() -> None:
    fields = [
        [(each["collectionGroup"], each["fieldPath"]) for each in declared["fieldOverrides"] if each.get("ttl")]
        for declared in (LEDGER, DECLARED)
    ]
    assert fields == [[("deliveries", "expire_at")], [("inbox", "expire_at"), ("erased", "expire_at")]]
