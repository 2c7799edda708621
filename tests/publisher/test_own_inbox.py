"""A user's own inbox over the API, in each profile: what is in it, and how it is marked."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from publisher_api.inbox.settings import InboxSettings
from tests.publisher.own_inbox import ORIGIN, OwnInbox, Worker
from tests.publisher.running import LATER, Publisher, notification, problem_of, serving

CONTENT = {"inapp": {"title": "Paid", "body": "You paid 10.", "url": "/payments/1", "data": {"amount": 10}}}


@pytest.fixture
def worker(each_publisher: Publisher) -> Iterator[Worker]:
    worker = Worker(each_publisher)
    yield worker
    worker.close()


@pytest.fixture
def own(each_publisher: Publisher) -> Iterator[OwnInbox]:
    own = OwnInbox(each_publisher)
    yield own
    own.http.close()


def arrived(own: OwnInbox, worker: Worker, count: int = 1) -> list[str]:
    """The ids of so many new notifications in the inbox."""
    ids = [own.publisher.accept(user_id=own.user_id) for _ in range(count)]
    worker.deliver(*ids)
    return ids


def test_an_entry_has_what_clients_show(own: OwnInbox, worker: Worker) -> None:
    notification_id = own.publisher.accept(
        user_id=own.user_id,
        content=CONTENT,
        actor_user_id="grace",
        priority=200,
        event_type="payment",
        tenant="acme",
    )
    worker.deliver(notification_id)
    found = own.read()
    [entry] = found["entries"]
    shown: Any = own.publisher.read(notification_id)
    times = {name: entry.pop(name) for name in ("created_at", "delivered_at")}
    assert all(times.values())
    assert entry == {
        "notification_id": notification_id,
        "delivery_id": shown["deliveries"][0]["delivery_id"],
        "event_type": "payment",
        "tenant": "acme",
        **CONTENT["inapp"],
        "actor_user_id": "grace",
        "priority": 200,
        "seen_at": None,
        "read_at": None,
        "archived_at": None,
    }
    assert (found["counts"], found["next"]) == ({"unseen": 1, "unread": 1}, None)


def test_an_inbox_is_paged_from_the_newest(own: OwnInbox, worker: Worker) -> None:
    ids = arrived(own, worker, 5)
    pages: list[list[str]] = []
    before = None
    while not pages or before:
        page = own.read(limit=2, **({"before": before} if before else {}))
        pages.append([entry["notification_id"] for entry in page["entries"]])
        before = page["next"]
    assert pages == [ids[:2:-1], ids[2:0:-1], ids[:1]]


def test_a_tenant_has_its_own_entries_and_counts(own: OwnInbox, worker: Worker) -> None:
    of_acme, of_umbrella, of_none = (
        own.publisher.accept(user_id=own.user_id, **tenant)
        for tenant in ({"tenant": "acme"}, {"tenant": "umbrella"}, {})
    )
    worker.deliver(of_acme, of_umbrella, of_none)
    assert own.ids() == [of_none, of_umbrella, of_acme]
    found = own.read(tenant="acme")
    assert [entry["notification_id"] for entry in found["entries"]] == [of_acme]
    assert found["counts"] == {"unseen": 1, "unread": 1}
    assert own.ids(tenant="unknown") == []
    query = {"user_id": own.user_id, "tenant": "umbrella"}
    assert own.publisher.http.get("/v1/notifications/unread_count", params=query).json()["unread"] == 1


def test_tabs_and_counts_follow_the_states(own: OwnInbox, worker: Worker) -> None:
    first, second, third = arrived(own, worker, 3)
    assert own.counts() == (3, 3)
    assert own.mark("read", first) == 1
    worker.obey(own.user_id, 1)
    assert own.counts() == (2, 2)
    assert own.mark("archive", second) == 1
    worker.obey(own.user_id, 2)
    assert own.counts() == (1, 1)
    assert own.mark("seen") == 1
    worker.obey(own.user_id, 3)
    assert own.counts() == (0, 1)
    assert own.ids() == [third, first]
    assert (own.ids(tab="unread"), own.ids(tab="archived")) == ([third], [second])
    assert own.mark("read_all") == 2
    assert worker.obey(own.user_id, 4) == ["read", "archive", "seen", "read_all"]
    assert own.counts() == (0, 0)
    assert own.ids(tab="unread") == []
    [archived] = own.read(tab="archived")["entries"]
    assert archived["archived_at"] == archived["seen_at"] < archived["read_at"]


def test_marking_again_changes_nothing_and_sends_no_command(own: OwnInbox, worker: Worker) -> None:
    [notification_id] = arrived(own, worker)
    for action, ids in (("seen", ()), ("read", (notification_id,)), ("archive", (notification_id,)), ("read_all", ())):
        first = own.mark(action, *ids)
        assert first == (0 if action == "read_all" else 1)
        worker.obey(own.user_id, {"seen": 1, "read": 2}.get(action, 3))
        before = own.read(tab="archived")["entries"]
        assert own.mark(action, *ids) == 0
        assert own.read(tab="archived")["entries"] == before
    assert worker.obey(own.user_id, 3) == ["seen", "read", "archive"]


def test_what_is_archived_is_no_longer_unread_for_producers(own: OwnInbox, worker: Worker) -> None:
    [notification_id] = arrived(own, worker)
    own.mark("archive", notification_id)
    count = own.publisher.http.get("/v1/notifications/unread_count", params={"user_id": own.user_id}).json()
    assert count["unread"] == 0
    shown = own.publisher.read(notification_id)
    assert shown["archived_at"] == shown["seen_at"]
    assert shown["archived_at"]


def test_an_entry_that_arrives_after_it_was_seen_here_is_seen_by_the_next_call(publisher: Publisher) -> None:
    """The publisher marks what is on its way, and the command marks what was delivered by then."""
    own, worker = OwnInbox(publisher), Worker(publisher)
    notification_id = publisher.accept(user_id=own.user_id)
    assert own.mark("seen") == 1
    worker.obey(own.user_id, 1)
    worker.deliver(notification_id)
    assert own.counts() == (1, 1)
    assert own.mark("seen") == 0
    worker.obey(own.user_id, 2)
    assert own.counts() == (0, 1)
    own.http.close()
    worker.close()


def test_a_notification_that_is_archived_before_it_is_due_arrives_archived(publisher: Publisher) -> None:
    own = OwnInbox(publisher)
    notification_id = publisher.accept(user_id=own.user_id, deliver_at=LATER)
    assert own.mark("archive", notification_id) == 1
    publisher.sql("update deliveries set due_at = now(), sweep_at = now() where notification_id = %s", notification_id)
    [message] = publisher.topic.deliveries(notification_id)
    assert message.archived_at is not None
    assert publisher.topic.commands(own.user_id, 0) == [], "there was nothing in the inbox to mark"
    own.http.close()


def test_a_token_opens_no_other_inbox(own: OwnInbox, worker: Worker) -> None:
    [theirs] = arrived(own, worker)
    eve = OwnInbox(own.publisher)
    assert (eve.ids(), eve.counts()) == ([], (0, 0))
    assert eve.mark("read", theirs) == eve.mark("archive", theirs) == eve.mark("read_all") == eve.mark("seen") == 0
    assert own.counts() == (1, 1)
    eve.http.close()


def test_counts_are_exact_at_1200_entries(own: OwnInbox, worker: Worker) -> None:
    for size in (1000, 200):
        batch = {"notifications": [notification(user_id=own.user_id)] * size}
        sent = own.publisher.http.post("/v1/notifications/batch", json=batch)
        worker.deliver(*[each["notification_id"] for each in sent.json()["results"]])
    assert own.counts() == (1200, 1200)
    assert own.mark("seen") == 1200
    worker.obey(own.user_id, 2)
    assert own.counts() == (0, 1200)
    assert own.mark("read", *own.ids(limit=100)) == 100
    worker.obey(own.user_id, 3)
    assert own.counts() == (0, 1100)


@pytest.mark.parametrize(
    ("path", "field"),
    [("?limit=0", "limit"), ("?limit=101", "limit"), ("?tab=spam", "tab"), ("?before=x", "before"),
     ("?before=MjAyNi0wMy0wMVQxMjowMDowMCBuMQ==", "before")],
)  # fmt: skip
def test_a_bad_page_is_a_problem_that_names_the_field(publisher: Publisher, path: str, field: str) -> None:
    own = OwnInbox(publisher)
    assert problem_of(own.http.get(f"/v1/inbox{path}")) == (422, "invalid_request", [field])
    own.http.close()


@pytest.mark.parametrize("action", ["read", "archive"])
def test_marking_needs_ids(publisher: Publisher, action: str) -> None:
    own = OwnInbox(publisher)
    bodies: list[dict[str, list[str]]] = [{"notification_ids": []}, {"notification_ids": ["n1"]}, {}]
    for body in bodies:
        assert problem_of(own.http.post(f"/v1/inbox/{action}", json=body))[:2] == (422, "invalid_request")
    own.http.close()


def test_without_a_secret_no_token_is_made(publisher: Publisher) -> None:
    with serving(replace(publisher.settings, inbox=InboxSettings())) as url:
        key = {"Authorization": f"Bearer {publisher.api_key}"}
        response = httpx.post(f"{url}/v1/users/u1/inbox_token", headers=key)
        assert problem_of(response) == (404, "not_found", [])
        assert "INBOX_TOKEN_SECRET" in response.json()["detail"]


PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


def test_listed_web_pages_may_call_the_inbox_and_others_may_not(publisher: Publisher) -> None:
    own = OwnInbox(publisher)
    preflight = httpx.options(f"{publisher.url}/v1/inbox/read", headers={"Origin": ORIGIN, **PREFLIGHT})
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert "Authorization" in preflight.headers["access-control-allow-headers"]
    for headers, status in ((own.authorization, 200), ({"Authorization": "Bearer wrong"}, 401)):
        answer = httpx.get(f"{publisher.url}/v1/inbox", headers={"Origin": ORIGIN, **headers})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, ORIGIN)
        assert "access-control-allow-credentials" not in answer.headers
    for origin in ("https://evil.example", "http://shop.example", "null", "http://["):
        refused = own.http.get("/v1/inbox", headers={"Origin": origin})
        assert problem_of(refused) == (403, "origin_refused", [])
        # A browser shows a page this problem only if the preflight and the response allow it.
        assert httpx.options(f"{publisher.url}/v1/inbox/read", headers={"Origin": origin, **PREFLIGHT}).is_success
        assert refused.headers["access-control-allow-origin"] == origin
    own.http.close()


def test_web_pages_of_the_publishers_own_host_may_call_the_inbox(publisher: Publisher) -> None:
    own = OwnInbox(publisher)
    host = publisher.url.removeprefix("http://")
    for origin in (publisher.url, f"https://{host}"):  # a proxy with TLS passes the host on
        assert own.http.get("/v1/inbox", headers={"Origin": origin}).status_code == 200
    own.http.close()


def test_no_other_address_is_for_web_pages_of_other_hosts(publisher: Publisher) -> None:
    for path in ("/v1/channels", "/v1/inboxes", "/health"):
        assert "access-control-allow-origin" not in publisher.http.get(path, headers={"Origin": ORIGIN}).headers
