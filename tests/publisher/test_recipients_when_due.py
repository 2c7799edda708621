"""A scheduled delivery goes to the address that the user has when it is published."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.envelope import Delivery
from tests.publisher.running import LATER, Publisher, problem_of
from tests.publisher.topic import waiting_for

OLD = {"email": "old@example.com", "phone": "+447700900123"}
NEW = {"email": "new@example.com", "phone": "+447700900456"}


@dataclass
class Person:
    """A user of the running publisher."""

    publisher: Publisher
    user_id: str

    def put(self, **fields: str) -> None:
        self.publisher.http.put(f"/v1/users/{self.user_id}", json=fields).raise_for_status()

    def register(self, token: str) -> str:
        device = {"token": token, "platform": "ios"}
        registered = self.publisher.http.post(f"/v1/users/{self.user_id}/devices", json=device)
        device_id: str = registered.json()["device_id"]
        return device_id

    def schedule(self, channel: str, **fields: object) -> str:
        return self.publisher.accept(user_id=self.user_id, channels=[channel], deliver_at=LATER, **fields)


@pytest.fixture
def ada(publisher: Publisher) -> Person:
    return Person(publisher, f"ada-{uuid.uuid4().hex}")


@pytest.fixture
def eve(publisher: Publisher) -> Person:
    return Person(publisher, f"eve-{uuid.uuid4().hex}")


def make_due(publisher: Publisher, notification_id: str) -> None:
    publisher.sql(
        "update deliveries set due_at = now(), sweep_at = now() where notification_id = %s and status = 'pending'",
        notification_id,
    )


def sent_when_due(publisher: Publisher, notification_id: str) -> Delivery:
    make_due(publisher, notification_id)
    [message] = publisher.topic.deliveries(notification_id)
    return message


def suppressed_when_due(publisher: Publisher, notification_id: str) -> Any:
    make_due(publisher, notification_id)

    def found() -> Any:
        return publisher.read(notification_id)

    waiting_for(lambda: found()["deliveries"][0]["status"] == "suppressed", "the delivery to be suppressed")
    return found()


@pytest.mark.parametrize(("channel", "field"), [("email", "email"), ("sms", "phone")])
def test_a_corrected_address_is_used(publisher: Publisher, ada: Person, channel: str, field: str) -> None:
    ada.put(**OLD)
    notification_id = ada.schedule(channel)
    ada.put(**NEW)
    assert sent_when_due(publisher, notification_id).recipient == NEW[field]
    [row] = publisher.sql("select recipient from deliveries where notification_id = %s", notification_id)
    assert row["recipient"] == NEW[field]


@pytest.mark.parametrize(("channel", "field"), [("email", "email"), ("sms", "phone")])
def test_an_address_given_in_the_request_stays(publisher: Publisher, ada: Person, channel: str, field: str) -> None:
    ada.put(**OLD)
    notification_id = ada.schedule(channel, to={channel: OLD[field]})
    ada.put(**NEW)
    assert sent_when_due(publisher, notification_id).recipient == OLD[field]


def test_a_push_is_not_sent_to_the_next_owner_of_the_phone(publisher: Publisher, ada: Person, eve: Person) -> None:
    token = uuid.uuid4().hex
    ada.register(token)
    notification_id = ada.schedule("push")
    eve.register(token)
    found = suppressed_when_due(publisher, notification_id)
    assert found["deliveries"][0]["reason"] == "no_device"
    assert [entry["event"] for entry in found["timeline"]] == ["accepted", "planned", "suppressed", "recorded"]


def test_a_push_is_sent_to_a_device_that_the_user_still_has(publisher: Publisher, ada: Person) -> None:
    first, second = uuid.uuid4().hex, uuid.uuid4().hex
    ada.register(first)
    notification_id = ada.schedule("push")
    ada.register(second)
    assert sent_when_due(publisher, notification_id).recipient == first


def test_a_push_to_a_token_given_in_the_request_is_sent(publisher: Publisher, ada: Person, eve: Person) -> None:
    token = uuid.uuid4().hex
    ada.register(token)
    notification_id = ada.schedule("push", to={"push": token})
    eve.register(token)
    assert sent_when_due(publisher, notification_id).recipient == token


def test_an_address_that_was_removed_suppresses_the_delivery(publisher: Publisher, ada: Person) -> None:
    ada.put(**OLD)
    notification_id = ada.schedule("email")
    ada.put()
    assert suppressed_when_due(publisher, notification_id)["deliveries"][0]["reason"] == "no_address"


def test_a_row_of_the_release_before_keeps_its_address(publisher: Publisher, ada: Person) -> None:
    ada.put(**OLD)
    notification_id = ada.schedule("email")
    publisher.sql("update deliveries set reason = null where notification_id = %s", notification_id)
    ada.put(**NEW)
    assert sent_when_due(publisher, notification_id).recipient == OLD["email"]


def test_a_scheduled_delivery_says_that_its_address_is_looked_up_later(publisher: Publisher, ada: Person) -> None:
    ada.put(**OLD)
    soon = datetime.now(UTC) + timedelta(seconds=2)
    notification_id = publisher.accept(user_id=ada.user_id, channels=["email"], deliver_at=soon.isoformat())

    def shown() -> Any:
        found: Any = publisher.read(notification_id)
        return found["deliveries"][0]["status"], found["deliveries"][0]["reason"]

    assert shown() == ("pending", "address_when_due")
    waiting_for(lambda: shown() == ("queued", None), "the delivery to be published")


def test_a_deleted_device_gets_no_push(publisher: Publisher, ada: Person) -> None:
    device_id = ada.register(uuid.uuid4().hex)
    notification_id = ada.schedule("push")
    path = f"/v1/users/{ada.user_id}/devices/{device_id}"
    deleted = publisher.http.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert publisher.http.get(f"/v1/users/{ada.user_id}").json()["devices"] == []
    assert suppressed_when_due(publisher, notification_id)["deliveries"][0]["reason"] == "no_device"
    assert problem_of(publisher.http.delete(path)) == (404, "not_found", [])


def test_a_device_of_another_user_is_not_deleted(publisher: Publisher, ada: Person, eve: Person) -> None:
    device_id = ada.register(uuid.uuid4().hex)
    refused = publisher.http.delete(f"/v1/users/{eve.user_id}/devices/{device_id}")
    assert problem_of(refused) == (404, "not_found", [])
    assert len(publisher.http.get(f"/v1/users/{ada.user_id}").json()["devices"]) == 1
