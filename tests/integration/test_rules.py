"""``firestore.rules``: which requests of a browser the emulator permits."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.cloud.firestore import Client

from functions.google.inbox import FirestoreInbox
from functions.inapp.inbox import InboxProvider
from local.emulators import RULES, Emulators
from tests.factories import make_delivery
from tests.fakes import Clock

pytestmark = pytest.mark.emulators

Ask = Callable[[httpx.Client, str], httpx.Response]
INBOX = "users/ada/inbox"
LEDGER_RULES = RULES.with_name("firestore.ledger.rules")
FIELDS = {"fields": {"title": {"stringValue": "forged"}}}


def query(parent: str, collection: str, *, limit: int | None, everywhere: bool = False) -> Ask:
    structured_query: dict[str, Any] = {"from": [{"collectionId": collection, "allDescendants": everywhere}]}
    if limit is not None:
        structured_query["limit"] = limit
    path = f"/{parent}:runQuery" if parent else ":runQuery"
    return lambda client, root: client.post(root + path, json={"structuredQuery": structured_query})


def get(path: str) -> Ask:
    return lambda client, root: client.get(f"{root}/{path}")


def create(path: str) -> Ask:
    collection, _, document = path.rpartition("/")
    return lambda client, root: client.post(f"{root}/{collection}", params={"documentId": document}, json=FIELDS)


def update(path: str) -> Ask:
    return lambda client, root: client.patch(f"{root}/{path}", params={"updateMask.fieldPaths": "title"}, json=FIELDS)


def delete(path: str) -> Ask:
    return lambda client, root: client.delete(f"{root}/{path}")


@pytest.fixture
def documents(emulators: Emulators, project: str) -> str:
    """The URL of a database that holds ada's inbox, the ledger and the channel switches."""
    client = Client(project=project)
    InboxProvider(FirestoreInbox(client), Clock()).send(make_delivery("inapp", notification_id="n1"))
    for path in ("deliveries/d.1", "config/channels", "users/ada"):
        client.document(path).set({"title": "real"})
    return f"http://{emulators.firestore_host}/v1/projects/{project}/databases/(default)/documents"


def token(user: str) -> str:
    """An unsigned token, which the emulator accepts."""
    parts = [{"alg": "none", "typ": "JWT"}, {"sub": user, "user_id": user}]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def status_for(user: str | None, ask: Ask, documents: str) -> int:
    headers = {"Authorization": f"Bearer {token(user)}"} if user else {}
    with httpx.Client(headers=headers) as client:
        return ask(client, documents).status_code


OWN_INBOX: dict[str, Ask] = {
    "get": get(f"{INBOX}/n1"),
    "list with a limit": query("users/ada", "inbox", limit=20),
}
FORBIDDEN: dict[str, Ask] = {
    "list without a limit": query("users/ada", "inbox", limit=None),
    "list with too high a limit": query("users/ada", "inbox", limit=101),
    "create": create(f"{INBOX}/forged"),
    "update": update(f"{INBOX}/n1"),
    "delete": delete(f"{INBOX}/n1"),
    "all inboxes": query("", "inbox", limit=20, everywhere=True),
    "the ledger": get("deliveries/d.1"),
    "list the ledger": query("", "deliveries", limit=1),
    "write the ledger": create("deliveries/forged.1"),
    "the channel switches": get("config/channels"),
    "set the channel switches": update("config/channels"),
    "the user document": get("users/ada"),
    "write the user document": update("users/ada"),
    "below an entry": create(f"{INBOX}/n1/notes/forged"),
    "an unknown collection": create("anything/forged"),
}


@pytest.mark.parametrize("ask", OWN_INBOX.values(), ids=OWN_INBOX)
def test_user_may_read_their_own_inbox(ask: Ask, documents: str) -> None:
    assert status_for("ada", ask, documents) == 200


@pytest.mark.parametrize("user", ["eve", None])
@pytest.mark.parametrize("ask", OWN_INBOX.values(), ids=OWN_INBOX)
def test_no_other_user_may_read_it(user: str | None, ask: Ask, documents: str) -> None:
    assert status_for(user, ask, documents) == 403


@pytest.mark.parametrize("user", ["ada", "eve", None])
@pytest.mark.parametrize("ask", FORBIDDEN.values(), ids=FORBIDDEN)
def test_no_user_may_do_anything_else(user: str | None, ask: Ask, documents: str) -> None:
    assert status_for(user, ask, documents) == 403


@pytest.mark.parametrize("ask", [*OWN_INBOX.values(), *FORBIDDEN.values()], ids=[*OWN_INBOX, *FORBIDDEN])
def test_ledgers_rules_permit_nothing(ask: Ask, documents: str, emulators: Emulators, project: str) -> None:
    rules = {"rules": {"files": [{"name": LEDGER_RULES.name, "content": LEDGER_RULES.read_text()}]}}
    url = f"http://{emulators.firestore_host}/emulator/v1/projects/{project}:securityRules"
    httpx.put(url, json=rules).raise_for_status()
    assert status_for("ada", ask, documents) == 403


def test_rules_do_not_apply_to_a_server(documents: str) -> None:
    for ask in (*OWN_INBOX.values(), *FORBIDDEN.values()):
        with httpx.Client(headers={"Authorization": "Bearer owner"}) as client:
            assert ask(client, documents).status_code == 200, "so the rules alone refuse each of these requests"


@pytest.mark.parametrize("path", [RULES, LEDGER_RULES], ids=lambda path: path.name)
def test_rules_compile(path: Path, emulators: Emulators, project: str) -> None:
    rules = {"rules": {"files": [{"name": path.name, "content": path.read_text()}]}}
    answer = httpx.put(f"http://{emulators.firestore_host}/emulator/v1/projects/{project}:securityRules", json=rules)
    assert answer.status_code == 200, answer.text
