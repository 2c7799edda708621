"""The live inbox over both protocols, with a real server and a real Postgres."""

import base64
from dataclasses import replace

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.contract.inboxes import ENTRY, count_versions
from tests.publisher.listening import Protocol, Socket, Sse, each_protocol, put
from tests.publisher.own_inbox import ORIGIN, OwnInbox, Worker, now
from tests.publisher.running import Publisher, problem_of


@each_protocol
def test_a_stream_starts_with_the_newest_entries_and_goes_on_with_changes(
    own: OwnInbox, worker: Worker, protocol: Protocol
) -> None:
    count_versions(worker.pool, own.user_id)
    ids = put(worker, own.user_id, 25)
    worker.inbox.mark_archived(own.user_id, ids[-1:], now())
    with protocol(own.publisher.url, own.token) as listener:
        first = listener.next()
        assert (first.name, first.id, first.counts) == ("snapshot", 26, (24, 24))
        assert first.ids == ids[-2:-22:-1]
        [arrived] = put(worker, own.user_id)
        change = listener.next()
        assert (change.name, change.id, change.ids, change.counts) == ("changes", 27, [arrived], (25, 25))
        worker.inbox.mark_read(own.user_id, ids[:2], now())
        change = listener.next()
        assert (change.name, sorted(change.ids), change.counts) == ("changes", sorted(ids[:2]), (23, 23))
        worker.inbox.mark_archived(own.user_id, [arrived], now())
        change = listener.next()
        assert (change.ids, change.counts) == ([arrived], (22, 22))
        assert change.data["entries"][0]["archived_at"]


@each_protocol
def test_streams_and_pages_have_the_same_entries(own: OwnInbox, worker: Worker, protocol: Protocol) -> None:
    put(worker, own.user_id, 2)
    with protocol(own.publisher.url, own.token) as listener:
        page = own.read()
        del page["next"]
        assert listener.next().data == page


def test_a_notification_arrives_and_is_marked_over_the_whole_path(own: OwnInbox, worker: Worker) -> None:
    with Sse(own.publisher.url, own.token) as listener:
        assert listener.next().data == {"entries": [], "counts": {"unseen": 0, "unread": 0}, "version": 0}
        notification_id = own.publisher.accept(user_id=own.user_id)
        worker.deliver(notification_id)
        assert listener.next().counts == (1, 1)
        own.mark("seen")
        worker.obey(own.user_id, 1)
        assert listener.next().counts == (0, 1)
        own.mark("read", notification_id)
        worker.obey(own.user_id, 2)
        assert listener.next().counts == (0, 0)


@each_protocol
def test_a_stream_of_a_tenant_has_its_entries_only(own: OwnInbox, worker: Worker, protocol: Protocol) -> None:
    put(worker, own.user_id)
    with protocol(own.publisher.url, own.token, tenant="umbrella") as listener:
        assert listener.next().ids == []
        put(worker, own.user_id)
        worker.inbox.put(own.user_id, replace(ENTRY, notification_id="of-umbrella", tenant="umbrella"))
        arrived = listener.next()
        assert (arrived.name, arrived.ids, arrived.counts) == ("changes", ["of-umbrella"], (1, 1))


@each_protocol
def test_a_stream_resumes_after_the_last_event(own: OwnInbox, worker: Worker, protocol: Protocol) -> None:
    put(worker, own.user_id, 3)
    with protocol(own.publisher.url, own.token) as listener:
        last = listener.next().id
    missed = put(worker, own.user_id, 2)
    with protocol(own.publisher.url, own.token, last) as listener:
        event = listener.next()
        assert (event.name, sorted(event.ids), event.counts) == ("changes", sorted(missed), (5, 5))


@each_protocol
def test_a_stream_that_is_current_starts_with_a_beat(own: OwnInbox, worker: Worker, protocol: Protocol) -> None:
    count_versions(worker.pool, own.user_id)
    put(worker, own.user_id, 3)
    with protocol(own.publisher.url, own.token, 3) as listener:
        assert listener.next_or_beat().name == "beat"
        [arrived] = put(worker, own.user_id)
        assert listener.next().ids == [arrived]


@pytest.mark.parametrize(("missed", "name"), [(200, "changes"), (201, "snapshot")])
def test_after_a_long_gap_a_snapshot_comes(own: OwnInbox, worker: Worker, missed: int, name: str) -> None:
    count_versions(worker.pool, own.user_id)
    put(worker, own.user_id, missed + 1)
    with Sse(own.publisher.url, own.token, 1) as listener:
        event = listener.next()
    assert (event.name, event.id, event.counts) == (name, missed + 1, (missed + 1, missed + 1))
    assert len(event.ids) == (missed if name == "changes" else 20)


def test_a_client_that_knows_a_later_version_gets_a_snapshot(own: OwnInbox, worker: Worker) -> None:
    """Postgres was restored from a backup, so versions begin again at an earlier one."""
    count_versions(worker.pool, own.user_id)
    put(worker, own.user_id, 2)
    with Sse(own.publisher.url, own.token, 99) as listener:
        assert listener.next()[:2] == ("snapshot", 2)


def test_changes_of_a_burst_go_out_together(own: OwnInbox, worker: Worker) -> None:
    count_versions(worker.pool, own.user_id)
    with Sse(own.publisher.url, own.token) as listener:
        listener.next()
        ids = put(worker, own.user_id, 100)
        events = [listener.next()]
        while events[-1].id != 100:
            events.append(listener.next())
    assert len(events) < 100
    assert sorted({each for event in events for each in event.ids}) == sorted(ids)


@each_protocol
def test_counts_are_right_at_1200_entries_and_after_reconnects(
    own: OwnInbox, worker: Worker, protocol: Protocol
) -> None:
    ids = put(worker, own.user_id, 1200)
    since = None
    for number, unseen in enumerate((1200, 1199, 1198)):
        with protocol(own.publisher.url, own.token, since) as listener:
            event = listener.next()
            since = event.id
            assert event.counts == (unseen, unseen)
            worker.inbox.mark_read(own.user_id, [ids[number]], now())
            assert listener.until(ids[number]).counts == (unseen - 1, unseen - 1)
            since = since if number else None


@each_protocol
def test_a_token_of_another_user_sees_nothing(own: OwnInbox, worker: Worker, protocol: Protocol) -> None:
    eve = OwnInbox(own.publisher)
    with protocol(own.publisher.url, eve.token) as listener, protocol(own.publisher.url, own.token) as theirs:
        assert listener.next().ids == theirs.next().ids == []
        put(worker, own.user_id)
        theirs.next()
        [mine] = put(worker, eve.user_id)
        assert listener.next().ids == [mine]
    eve.http.close()


def test_a_stream_may_be_kept_by_no_proxy(own: OwnInbox) -> None:
    with Sse(own.publisher.url, own.token, Origin=ORIGIN) as listener:
        headers = listener.response.headers
    assert headers["content-type"].startswith("text/event-stream")
    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-store", "no")
    assert headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize(
    ("headers", "expected"),
    [({"Authorization": "Bearer x"}, (401, "unauthorized")),
     ({"Origin": "https://evil.example"}, (403, "origin_refused")),
     ({"Last-Event-ID": "-1"}, (422, "invalid_request")), ({"Last-Event-ID": "x"}, (422, "invalid_request"))],
)  # fmt: skip
def test_a_stream_is_refused_with_a_problem(own: OwnInbox, headers: dict[str, str], expected: tuple[int, str]) -> None:
    assert problem_of(own.http.get("/v1/inbox/live", headers=headers))[:2] == expected


def test_no_token_is_accepted_in_the_address(own: OwnInbox) -> None:
    for name in ("token", "access_token", "authorization"):
        response = httpx.get(f"{own.publisher.url}/v1/inbox/live", params={name: own.token})
        assert response.status_code == 401


@pytest.mark.parametrize(
    ("hello", "code"),
    [
        ('{"token":"x"}', 4401),
        ("{}", 4400),
        ("hello", 4400),
        (b'{"token":"x"}', 4400),
        ('{"token":"\\ud800"}', 4400),
        ('{"token":"' + base64.urlsafe_b64encode(b"[" * 40_000).decode() + '.e30.x"}', 4401),
        ("[" * 60_000, 4400),
        ('{"token":"x","last_event_id":-1}', 4400),
        ('{"token":"x","last_event_id":9223372036854775808}', 4400),
    ],
)
def test_a_socket_without_a_valid_first_frame_is_closed(publisher: Publisher, hello: str | bytes, code: int) -> None:
    with Socket(publisher.url, "", hello=hello) as listener:
        assert listener.next()[:2] == ("end", code)


def test_a_socket_of_a_refused_origin_is_closed_with_its_code(own: OwnInbox) -> None:
    with Socket(own.publisher.url, own.token, hello="", origin="https://evil.example") as listener:
        assert listener.next()[:2] == ("end", 4403)
    with Socket(own.publisher.url, own.token, origin=ORIGIN) as listener:
        assert listener.next().name == "snapshot"


def test_what_a_client_sends_after_its_first_frame_is_ignored(own: OwnInbox, worker: Worker) -> None:
    with Socket(own.publisher.url, own.token) as listener:
        listener.next()
        listener.connection.send("x" * 1000)
        listener.connection.send(b"y")
        [arrived] = put(worker, own.user_id)
        assert listener.next().ids == [arrived]


@pytest.mark.emulators
def test_in_the_google_profile_clients_are_sent_to_firestore(google_publisher: Publisher) -> None:
    own = OwnInbox(google_publisher)
    response = own.http.get("/v1/inbox/live")
    assert problem_of(response) == (404, "not_found", [])
    assert "Firestore" in response.json()["detail"]
    with pytest.raises(InvalidStatus) as refused, Socket(google_publisher.url, own.token):
        pass
    assert refused.value.response.status_code == 404
    own.http.close()
