"""``firestore.rules``: who may do what, asked of the emulator as a browser would ask."""

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from google.cloud.firestore import Client

from functions.inapp.inbox import Inbox
from local.emulators import RULES, Emulators
from tests.factories import make_delivery
from tests.fakes import Clock

pytestmark = pytest.mark.emulators

Ask = Callable[[httpx.Client, str], httpx.Response]
INBOX = "users/ada/inbox"
FIELDS = {"fields": {"title": {"stringValue": "forged"}}}


def query(parent: str, collection: str, *, limit: int | None, everywhere: bool = False) -> Ask:
    asked: dict[str, Any] = {"from": [{"collectionId": collection, "allDescendants": everywhere}]}
    if limit is not None:
        asked["limit"] = limit
    path = f"/{parent}:runQuery" if parent else ":runQuery"
    return lambda client, root: client.post(root + path, json={"structuredQuery": asked})


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
    """A database that holds ada's inbox, the ledger and the switchboard."""
    client = Client(project=project)
    Inbox(client, Clock()).send(make_delivery("inapp", notification_id="n1"))
    for path in ("deliveries/d.1", "config/channels", "users/ada"):
        client.document(path).set({"title": "real"})
    return f"http://{emulators.firestore_host}/v1/projects/{project}/databases/(default)/documents"


def token(user: str) -> str:
    """An unsigned token, which the emulator believes."""
    parts = [{"alg": "none", "typ": "JWT"}, {"sub": user, "user_id": user}]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def status_for(person: str | None, ask: Ask, documents: str) -> int:
    headers = {"Authorization": f"Bearer {token(person)}"} if person else {}
    with httpx.Client(headers=headers) as client:
        return ask(client, documents).status_code


THEIR_OWN: dict[str, Ask] = {
    "get": get(f"{INBOX}/n1"),
    "list with a limit": query("users/ada", "inbox", limit=20),
}
NOBODYS: dict[str, Ask] = {
    "list without a limit": query("users/ada", "inbox", limit=None),
    "list with a limit that is none": query("users/ada", "inbox", limit=101),
    "create": create(f"{INBOX}/forged"),
    "update": update(f"{INBOX}/n1"),
    "delete": delete(f"{INBOX}/n1"),
    "all inboxes": query("", "inbox", limit=20, everywhere=True),
    "the ledger": get("deliveries/d.1"),
    "list the ledger": query("", "deliveries", limit=1),
    "write the ledger": create("deliveries/forged.1"),
    "the switchboard": get("config/channels"),
    "set the switchboard": update("config/channels"),
    "the parent": get("users/ada"),
    "write the parent": update("users/ada"),
    "beneath an entry": create(f"{INBOX}/n1/notes/forged"),
    "a collection that nobody thought of": create("anything/forged"),
}


@pytest.mark.parametrize("ask", THEIR_OWN.values(), ids=THEIR_OWN)
def test_people_read_their_own_inbox(ask: Ask, documents: str) -> None:
    assert status_for("ada", ask, documents) == 200


@pytest.mark.parametrize("person", ["eve", None])
@pytest.mark.parametrize("ask", THEIR_OWN.values(), ids=THEIR_OWN)
def test_nobody_else_reads_it(person: str | None, ask: Ask, documents: str) -> None:
    assert status_for(person, ask, documents) == 403


@pytest.mark.parametrize("person", ["ada", "eve", None])
@pytest.mark.parametrize("ask", NOBODYS.values(), ids=NOBODYS)
def test_nobody_does_anything_else(person: str | None, ask: Ask, documents: str) -> None:
    assert status_for(person, ask, documents) == 403


def test_the_servers_client_is_not_bound_by_the_rules(documents: str) -> None:
    for ask in (*THEIR_OWN.values(), *NOBODYS.values()):
        with httpx.Client(headers={"Authorization": "Bearer owner"}) as client:
            assert ask(client, documents).status_code == 200, "so each of these is refused by the rules alone"


def test_the_rules_have_no_error(emulators: Emulators, project: str) -> None:
    rules = {"rules": {"files": [{"name": "firestore.rules", "content": RULES.read_text()}]}}
    answer = httpx.put(f"http://{emulators.firestore_host}/emulator/v1/projects/{project}:securityRules", json=rules)
    assert answer.status_code == 200, answer.text
