"""The reads of many streams by one statement, on a real Postgres."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest

from postgres.pool import address_of
from publisher_api.inbox.model import Asked
from publisher_api.inbox.reader import StateReader
from publisher_api.live.limits import LiveLimits
from publisher_api.live.reads import MAX_BATCH, Reads
from tests.contract.inboxes import ENTRY, count_versions
from tests.publisher.listening import Protocol, each_protocol, put
from tests.publisher.own_inbox import OwnInbox, Worker, new_user, now
from tests.publisher.running import serving


@pytest.fixture
def reader(worker: Worker) -> StateReader:
    return StateReader(worker.pool)


@contextmanager
def hanging(worker: Worker) -> Iterator[None]:
    """Let every read of an inbox wait during the block, at most until its timeout for locks (5 s)."""
    with psycopg.connect(address_of(worker.pool)) as connection:
        connection.execute("lock table state.inbox_heads in access exclusive mode")
        yield


def test_one_read_answers_for_inboxes_in_every_state(worker: Worker, reader: StateReader) -> None:
    behind, current, far_behind, restored, new, empty = (new_user() for _ in range(6))
    count_versions(worker.pool, behind, current, far_behind, restored, new)
    ids = {user_id: put(worker, user_id, count) for user_id, count in [(behind, 3), (current, 2), (restored, 2)]}
    put(worker, far_behind, 203)
    put(worker, new, 22)
    asked = [
        Asked(empty, 0),
        Asked(far_behind, 1),
        Asked(new, None),
        Asked(current, 2),
        Asked(behind, 1),
        Asked(restored, 9),
        Asked(empty, None),
        Asked(behind, None),
        Asked(far_behind, 3),
    ]
    found = [
        each and (each.kind, each.view.version, len(each.view.entries), each.view.counts.unread)
        for each in reader.changes(asked)
    ]
    assert found == [
        None,
        ("snapshot", 203, 20, 203),
        ("snapshot", 22, 20, 22),
        None,
        ("changes", 3, 2, 3),
        ("snapshot", 2, 2, 2),
        ("snapshot", 0, 0, 0),
        ("snapshot", 3, 3, 3),
        ("changes", 203, 200, 203),
    ]
    [update] = reader.changes([Asked(behind, 1)])
    assert update is not None
    assert [entry.notification_id for entry in update.view.entries] == ids[behind][:0:-1]


def test_a_tenant_has_its_own_entries_and_counts(worker: Worker, reader: StateReader) -> None:
    user_id, elsewhere = new_user(), new_user()
    count_versions(worker.pool, user_id)
    put(worker, user_id, 2)
    worker.inbox.put(user_id, replace(ENTRY, notification_id="of-umbrella", tenant="umbrella"))
    put(worker, elsewhere, 2)
    asked = [
        Asked(user_id, None, "umbrella"),
        Asked(user_id, 1, "acme"),
        Asked(user_id, 2, "acme"),
        Asked(elsewhere, None, "umbrella"),
        Asked(user_id, 1),
    ]
    found = [
        each and (each.kind, {entry.tenant for entry in each.view.entries}, each.view.counts.unread)
        for each in reader.changes(asked)
    ]
    assert found == [
        ("snapshot", {"umbrella"}, 1),
        ("changes", {"acme"}, 2),
        None,
        ("snapshot", set(), 0),
        ("changes", {"acme", "umbrella"}, 3),
    ]


def test_a_reader_of_an_inbox_that_was_erased_gets_a_snapshot_of_what_is_left(
    worker: Worker, reader: StateReader
) -> None:
    erased, came_back, shortened = new_user(), new_user(), new_user()
    known: dict[str, int] = {}
    for user_id in (erased, came_back):
        put(worker, user_id, 2)
        known |= reader.versions([user_id])
        worker.inbox.erase(user_id, ENTRY.accepted_at, now())
    entries = put(worker, came_back, 3)  # more changes than there were before
    gone, left = put(worker, shortened, 2)
    known |= reader.versions([shortened])
    worker.inbox.delete(shortened, [gone])
    updates = reader.changes([Asked(user_id, known[user_id]) for user_id in (erased, came_back, shortened)])
    assert [each and (each.kind, [entry.notification_id for entry in each.view.entries]) for each in updates] == [
        ("snapshot", []),
        ("snapshot", entries[::-1]),
        ("snapshot", [left]),
    ]
    assert reader.versions([came_back])[came_back] > known[came_back]


def test_versions_of_inboxes_that_exist(worker: Worker, reader: StateReader) -> None:
    user_id, empty = new_user(), new_user()
    count_versions(worker.pool, user_id)
    put(worker, user_id, 2)
    assert reader.versions([user_id, empty]) == {user_id: 2}


def test_each_stream_gets_its_own_inbox_and_equal_reads_are_shared(worker: Worker, reader: StateReader) -> None:
    user_ids = [new_user() for _ in range(2 * MAX_BATCH + 3)]
    ids = {user_id: put(worker, user_id)[0] for user_id in user_ids}

    async def read_all() -> None:
        reads = Reads(reader)
        reads.start()
        events = await asyncio.gather(*(reads.changes(Asked(user_id, None)) for user_id in (*user_ids, *user_ids)))
        for user_id, event, again in zip(user_ids, events, events[len(user_ids) :], strict=False):
            assert event is not None
            assert event.data is not None
            assert ids[user_id] in event.data
            assert again is event
            assert await reads.changes(Asked(user_id, event.version)) is None
        reads.end()
        reads.stop()

    asyncio.run(read_all())


def test_reads_end_although_postgres_does_not_respond(worker: Worker, reader: StateReader) -> None:
    user_id = new_user()

    async def read_and_end() -> float:
        reads = Reads(reader)
        reads.start()
        first = asyncio.create_task(reads.changes(Asked(user_id, None)))
        await asyncio.sleep(0.2)
        second = asyncio.create_task(reads.changes(Asked(user_id, None)))  # waits for the batch of the first
        await asyncio.sleep(0.2)
        assert not first.done()
        began = time.monotonic()
        reads.end()
        assert [await each for each in (first, second, reads.changes(Asked(user_id, None)))] == [None] * 3
        ended = time.monotonic()
        reads.stop()
        return ended - began

    with hanging(worker):
        assert asyncio.run(read_and_end()) < 1


@each_protocol
def test_a_stream_outlasts_reads_that_fail(own: OwnInbox, worker: Worker, protocol: Protocol) -> None:
    with protocol(own.publisher.url, own.token) as listener:
        assert listener.next().name == "snapshot"
        with hanging(worker):
            own.publisher.sql("select pg_notify('inbox', %s)", own.user_id)
            assert listener.next_or_beat().name == "beat"  # the read has failed
        [arrived] = put(worker, own.user_id)
        assert listener.next().ids == [arrived]


@each_protocol
def test_a_version_that_rises_without_an_entry_delays_no_beat(
    own: OwnInbox, worker: Worker, protocol: Protocol
) -> None:
    """A redelivered entry raises the version. Each look finds that, and the stream then reads nothing new."""
    count_versions(worker.pool, own.user_id)
    put(worker, own.user_id)
    settings = replace(own.publisher.settings, live=LiveLimits(beat=0.3))
    with serving(settings) as url, protocol(url, own.token) as listener:
        assert listener.next().id == 1
        own.publisher.sql("update state.inbox_heads set version = 2 where user_id = %s", own.user_id)
        assert [listener.next_or_beat().name for _ in range(4)] == ["beat"] * 4
        [arrived] = put(worker, own.user_id)
        assert listener.next().ids == [arrived]
