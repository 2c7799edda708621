"""Keys that a producer gives: once only, however many requests, instances and producers use one at the same moment."""

import threading
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from publisher_api.accept.model import Keys
from publisher_api.accept.store import lock_keys
from publisher_api.settings import Settings
from tests.publisher.running import Publisher, create_api_key, notification, problem_of, serving
from tests.publisher.topic import waiting_for

ROUNDS = 30


@pytest.fixture(scope="module")
def second_url(settings: Settings) -> Iterator[str]:
    """Another instance on the same database. One instance alone accepts its requests one after the other."""
    with serving(settings) as url:
        yield url


@pytest.fixture(scope="module")
def other_producer(publisher: Publisher, second_url: str) -> Iterator[httpx.Client]:
    """A client of the second instance with the key of another producer."""
    headers = {"Authorization": f"Bearer {create_api_key(publisher.database_url, 'other')}"}
    with httpx.Client(base_url=second_url, headers=headers, timeout=20) as client:
        waiting_for(lambda: client.get("/v1/channels").status_code == 200, "the new key to be known")
        yield client


def post_at_once(clients: Sequence[httpx.Client], body: dict[str, object]) -> list[httpx.Response]:
    """Send ``body`` from every client at the same moment; the response to each, in the order of ``clients``."""
    start = threading.Barrier(len(clients))

    def post(client: httpx.Client) -> httpx.Response:
        start.wait()
        return client.post("/v1/notifications", json=body)

    with ThreadPoolExecutor(len(clients)) as threads:
        return list(threads.map(post, clients))


def kind_of(response: httpx.Response) -> str:
    """``new``, ``duplicate``, or the status and the code of a problem."""
    if response.status_code == 202:
        return "duplicate" if response.json().get("duplicate") else "new"
    status, code, _ = problem_of(response)
    return f"{status} {code}"


def rows_of(publisher: Publisher, notification_id: str) -> list[DictRow]:
    return publisher.sql(
        "select producer, (select count(*) from deliveries d where d.notification_id = n.notification_id) as deliveries"
        "  from notifications n where notification_id = %s",
        notification_id,
    )


def test_one_notification_id_at_once_on_two_instances_makes_one_notification(
    publisher: Publisher, second_url: str
) -> None:
    with httpx.Client(base_url=second_url, headers=publisher.http.headers, timeout=20) as second:
        for _ in range(ROUNDS):
            notification_id = str(uuid.uuid4())
            answers = post_at_once([publisher.http, second] * 2, notification(notification_id=notification_id))
            kinds = [kind_of(answer) for answer in answers]
            assert kinds.count("new") == 1
            assert set(kinds) <= {"new", "duplicate", "409 in_flight"}
            assert {each.json()["notification_id"] for each in answers if each.is_success} == {notification_id}
            assert rows_of(publisher, notification_id) == [{"producer": "tests", "deliveries": 1}]


def test_one_notification_id_of_two_producers_at_once_is_accepted_for_one_of_them(
    publisher: Publisher, other_producer: httpx.Client
) -> None:
    clients = {"tests": publisher.http, "other": other_producer}
    for _ in range(ROUNDS):
        notification_id = str(uuid.uuid4())
        body = notification(notification_id=notification_id)
        answers = dict(zip(clients, map(kind_of, post_at_once(list(clients.values()), body)), strict=True))
        [row] = rows_of(publisher, notification_id)
        [loser] = answers.keys() - {row["producer"]}
        assert answers[row["producer"]] == "new"
        assert answers[loser] in {"409 notification_id_taken", "409 in_flight"}
        assert row["deliveries"] == 1
        assert kind_of(clients[loser].post("/v1/notifications", json=body)) == "409 notification_id_taken"


@pytest.mark.parametrize("name", ["dedup_key", "Idempotency-Key", "notification_id"])
def test_a_key_that_another_transaction_holds_is_in_flight(publisher: Publisher, name: str) -> None:
    key = str(uuid.uuid4())
    held = {
        "dedup_key": Keys(frozenset({("tests", key)}), frozenset(), frozenset()),
        "Idempotency-Key": Keys(frozenset(), frozenset({("tests", key)}), frozenset()),
        "notification_id": Keys(frozenset(), frozenset(), frozenset({key})),
    }
    headers = {name: key} if name == "Idempotency-Key" else {}
    body = notification() if headers else notification(**{name: key})
    with psycopg.connect(publisher.database_url, row_factory=dict_row) as other:
        lock_keys(other, held[name])
        refused = publisher.http.post("/v1/notifications", json=body, headers=headers)
    assert (problem_of(refused), refused.headers["retry-after"]) == ((409, "in_flight", []), "1")
    assert name in refused.json()["detail"]
    assert kind_of(publisher.http.post("/v1/notifications", json=body, headers=headers)) == "new"


def test_a_notification_id_again_answers_the_same_notification(publisher: Publisher) -> None:
    notification_id = publisher.accept(notification_id=str(uuid.uuid4()))
    again = publisher.http.post("/v1/notifications", json=notification(notification_id=notification_id))
    assert again.status_code == 202
    assert again.json() == {"notification_id": notification_id, "status": "queued", "duplicate": True}
