"""A producer reaches its own notifications, a tenant's credential those of the tenant, and no other."""

import uuid
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.publisher.running import LATER, Publisher, create_api_key, notification, problem_of
from tests.publisher.topic import waiting_for


@dataclass
class Calling:
    """One producer's calls. Every test has producers of its own."""

    publisher: Publisher
    http: httpx.Client

    @classmethod
    def of(cls, publisher: Publisher, producer: str, *scopes: str, **others: Any) -> "Calling":
        key = create_api_key(publisher.database_url, producer, *scopes, **others)
        http = httpx.Client(base_url=publisher.url, headers={"Authorization": f"Bearer {key}"}, timeout=20)
        waiting_for(lambda: http.get("/v1/users").status_code != 401, "the key")
        return cls(publisher, http)

    def send(self, **fields: object) -> str:
        response = self.http.post("/v1/notifications", json=notification(**fields))
        assert response.status_code == 202, response.text
        notification_id: str = response.json()["notification_id"]
        return notification_id

    def listed(self, user: str, **query: str) -> list[str]:
        found = self.http.get("/v1/notifications", params={"user_id": user, **query}).json()["notifications"]
        return [each["notification_id"] for each in found]

    def unread(self, user: str) -> int:
        found: int = self.http.get("/v1/notifications/unread_count", params={"user_id": user}).json()["unread"]
        return found


ALL = ("send", "read", "users", "configure")


@pytest.fixture
def shop(publisher: Publisher) -> Calling:
    return Calling.of(publisher, f"shop-{uuid.uuid4().hex[:8]}", *ALL)


@pytest.fixture
def bank(publisher: Publisher) -> Calling:
    return Calling.of(publisher, f"bank-{uuid.uuid4().hex[:8]}", *ALL)


@pytest.fixture
def auditor(publisher: Publisher) -> Calling:
    return Calling.of(publisher, f"auditor-{uuid.uuid4().hex[:8]}", "read_all", *ALL)


def test_another_producers_notification_is_a_404_for_every_request(shop: Calling, bank: Calling) -> None:
    sent = shop.send(deliver_at=LATER)
    name = f"t-{uuid.uuid4().hex[:8]}"
    bank.http.put(f"/v1/templates/{name}", json={"content": {"inapp": {"title": "x"}}})
    for method, path, body in (
        ("GET", f"/v1/notifications/{sent}", None),
        ("POST", f"/v1/notifications/{sent}/cancel", None),
        ("POST", f"/v1/notifications/{sent}/read", None),
        ("POST", f"/v1/templates/{name}/render", {"notification_id": sent}),
    ):
        assert problem_of(bank.http.request(method, path, json=body)) == (404, "not_found", []), path
        assert shop.http.request(method, path, json=body).status_code == 200, path


def test_lists_counts_and_marks_leave_out_what_another_producer_sent(shop: Calling, bank: Calling) -> None:
    user = f"u-{uuid.uuid4().hex}"
    of_shop, of_bank = shop.send(user_id=user), bank.send(user_id=user)
    assert (shop.listed(user), bank.listed(user)) == ([of_shop], [of_bank])
    assert (shop.unread(user), bank.unread(user)) == (1, 1)
    some = bank.http.post(
        "/v1/notifications/bulk/read", json={"user_id": user, "notification_ids": [of_shop, of_bank]}
    ).json()
    assert some["marked"] == 1
    assert (shop.unread(user), bank.unread(user)) == (1, 0)
    assert bank.http.post("/v1/notifications/bulk/read", json={"user_id": user, "all": True}).json()["marked"] == 0
    assert shop.unread(user) == 1
    assert shop.http.post("/v1/notifications/bulk/read", json={"user_id": user, "all": True}).json()["marked"] == 1
    [command] = shop.publisher.topic.commands(user, 2)[1:]
    assert (command.command, command.notification_ids) == ("read", [of_shop])


def test_read_all_reaches_every_producers_notifications(shop: Calling, bank: Calling, auditor: Calling) -> None:
    user = f"u-{uuid.uuid4().hex}"
    sent = {shop.send(user_id=user), bank.send(user_id=user)}
    assert set(auditor.listed(user)) == sent
    assert auditor.unread(user) == 2
    assert {auditor.http.get(f"/v1/notifications/{each}").status_code for each in sent} == {200}


def test_a_preview_shows_a_notification_or_a_user_only_to_who_may_read_them(shop: Calling) -> None:
    name = f"t-{uuid.uuid4().hex[:8]}"
    shop.http.put(f"/v1/templates/{name}", json={"content": {"inapp": {"title": "x"}}})
    configurer = Calling.of(shop.publisher, "configurer", "configure")
    path = f"/v1/templates/{name}/render"
    assert configurer.http.post(path, json={"payload": {}}).status_code == 200
    for body, scope in (
        ({"payload": {}, "user_id": "ada"}, "users"),
        ({"notification_id": str(uuid.uuid4())}, "read"),
    ):
        refused = configurer.http.post(path, json=body)
        assert (refused.status_code, refused.json()["scope"]) == (403, scope)


def test_a_credential_of_a_tenant_sends_for_it_and_sees_nothing_else(publisher: Publisher) -> None:
    producer, user = f"crm-{uuid.uuid4().hex[:8]}", f"u-{uuid.uuid4().hex}"
    acme = Calling.of(publisher, producer, "send", "read_all", tenant="acme")
    other = Calling.of(publisher, producer, "send", "read", tenant="other")
    everyone = Calling.of(publisher, producer, "send", "read")
    sent = acme.send(user_id=user)
    named = acme.send(user_id=user, tenant="acme")
    of_other, of_none = other.send(user_id=user), everyone.send(user_id=user)
    assert publisher.sql("select tenant from notifications where notification_id = %s", sent) == [{"tenant": "acme"}]
    assert set(acme.listed(user)) == set(acme.listed(user, tenant="acme")) == {sent, named}
    assert set(everyone.listed(user)) == {sent, named, of_other, of_none}
    assert everyone.listed(user, tenant="other") == [of_other]
    assert {acme.http.get(f"/v1/notifications/{each}").status_code for each in (of_other, of_none)} == {404}
    refused = acme.http.post("/v1/notifications", json=notification(tenant="other"))
    assert problem_of(refused) == (422, "invalid_request", ["tenant"])
    assert "acme" in refused.json()["detail"]
    listing = acme.http.get("/v1/notifications", params={"user_id": user, "tenant": "other"})
    assert problem_of(listing) == (422, "invalid_request", ["tenant"])
    batch = acme.http.post(
        "/v1/notifications/batch", json={"notifications": [notification(), notification(tenant="other")]}
    ).json()
    assert (batch["accepted"], batch["results"][1]["problem"]["errors"][0]["field"]) == (1, "notifications.1.tenant")


def test_two_tenants_of_one_producer_may_use_the_same_keys(publisher: Publisher) -> None:
    producer, key = f"crm-{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    tenants = [Calling.of(publisher, producer, "send", tenant=name) for name in ("acme", "other")]
    deduplicated = [each.send(dedup_key=key) for each in tenants]
    assert len(set(deduplicated)) == 2
    assert [each.send(dedup_key=key) for each in tenants] == deduplicated
    body = notification()
    answers = [
        each.http.post("/v1/notifications", json=body, headers={"Idempotency-Key": key}).json()["notification_id"]
        for each in (*tenants, *tenants)
    ]
    assert answers[:2] == answers[2:]
    assert len(set(answers)) == 2


def test_an_id_of_another_tenant_is_taken(publisher: Publisher) -> None:
    producer = f"crm-{uuid.uuid4().hex[:8]}"
    acme = Calling.of(publisher, producer, "send", tenant="acme")
    other = Calling.of(publisher, producer, "send", tenant="other")
    everyone = Calling.of(publisher, producer, "send")
    of_acme, of_none = (str(uuid.uuid4()) for _ in range(2))
    assert acme.send(notification_id=of_acme) == acme.send(notification_id=of_acme) == of_acme
    assert everyone.send(notification_id=of_none) == of_none
    assert everyone.send(notification_id=of_acme) == of_acme
    for calling, taken in ((other, of_acme), (acme, of_none)):
        refused = calling.http.post("/v1/notifications", json=notification(notification_id=taken))
        assert problem_of(refused) == (409, "notification_id_taken", ["notification_id"])
