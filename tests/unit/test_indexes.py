"""The emulator never misses an index, and production refuses every query that lacks one: so they are compared here."""

import json
from pathlib import Path
from typing import Any

import google.auth.credentials
import pytest
from google.cloud.firestore import Client, Query
from google.cloud.firestore_v1.base_query import FieldFilter

from functions.inapp import commands
from functions.inapp.inbox import inbox_of
from tests.factories import NOON

ROOT = Path(__file__).parents[2]
DECLARED = json.loads((ROOT / "firestore.indexes.json").read_bytes())

CLIENT = Client(project="p", credentials=google.auth.credentials.AnonymousCredentials())  # type: ignore[no-untyped-call] # it has no types
INBOX = inbox_of(CLIENT, "ada")
NEWEST = INBOX.order_by("created_at", direction=Query.DESCENDING)
QUERIES = {
    "read_all": commands.unread(INBOX, NOON),
    "a client's inbox": NEWEST.limit(20),
    "a client's unread": NEWEST.where(filter=FieldFilter("read_at", "==", None)).limit(20),
    "a client's unread count": INBOX.where(filter=FieldFilter("read_at", "==", None)).limit(100),
}
"""Every query that the functions and the web and mobile clients make."""


def index_of(query: Query) -> tuple[Any, ...] | None:
    """The composite index that ``query`` needs: its equalities, then its order. One field is indexed by itself."""
    asked = query._to_protobuf()  # noqa: SLF001 - the form in which Firestore gets it
    filters = asked.where.composite_filter.filters or [asked.where]
    unary = {each.unary_filter.field.field_path for each in filters} - {""}
    fields = [(name, "ASCENDING") for name in sorted(unary)]
    fields += [(order.field.field_path, order.direction.name) for order in asked.order_by]
    return (asked.from_[0].collection_id, *fields) if len(fields) > 1 else None


def declared() -> list[tuple[Any, ...]]:
    return [
        (index["collectionGroup"], *((field["fieldPath"], field["order"]) for field in index["fields"]))
        for index in DECLARED["indexes"]
    ]


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_every_query_has_its_index(query: Query) -> None:
    needed = index_of(query)
    assert needed is None or needed in declared()


def test_every_index_is_needed() -> None:
    assert set(declared()) == {index_of(query) for query in QUERIES.values()} - {None}


def test_every_query_of_the_functions_is_listed_here() -> None:
    asking = {path.name for path in (ROOT / "functions").rglob("*.py") if ".where(" in path.read_text()}
    assert asking == {"commands.py"}


def test_what_has_a_time_to_live_is_declared_with_it() -> None:
    overrides = {(each["collectionGroup"], each["fieldPath"]) for each in DECLARED["fieldOverrides"] if each.get("ttl")}
    assert overrides == {("deliveries", "expire_at"), ("inbox", "expire_at")}
