"""A test of a channel over the whole path: publisher, transport, worker, and a stand-in of the service."""

import os
import sys
import uuid
from collections.abc import Iterator

import httpx
import pytest

from publisher_api.settings import Settings
from shared.profile import VARIABLE, Profile
from tests.children import running
from tests.providers import chat_services
from tests.providers.chat_services import IDS, SECRETS, StandIn
from tests.providers.server import serving as serving_http
from tests.publisher.running import create_api_key, serving

PYTHON = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}


@pytest.fixture
def slack() -> Iterator[StandIn]:
    with serving_http(script_at=lambda url: StandIn(url, chat_services.slack_bot)) as service:
        assert isinstance(service, StandIn)
        yield service


@pytest.fixture
def publisher(postgres_url: str, slack: StandIn) -> Iterator[httpx.Client]:
    """A publisher, beside a worker that hosts webhooks and the inbox function, which stores the switches."""
    environment = {
        VARIABLE: "postgres",
        "DATABASE_URL": postgres_url,
        "WEBHOOK_SIGNING_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "WEBHOOK_SLACK": SECRETS["slack_bot"],
        "WEBHOOK_PRESET_URL": slack.url,
        "WEBHOOK_ALLOW_PRIVATE_ADDRESSES": "true",
        "RETRY_PROFILE": "UNIT_TEST",
    }
    command = [sys.executable, "-m", "functions.worker", "webhook", "inapp"]
    settings = Settings(database_url=postgres_url, profile=Profile.POSTGRES)
    key = create_api_key(postgres_url, "tests")
    with (
        running(command, PYTHON | environment),
        serving(settings) as url,
        httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as http,
    ):
        yield http


def test_a_test_returns_what_the_service_answered(publisher: httpx.Client, slack: StandIn) -> None:
    slug = f"slack-{uuid.uuid4().hex[:6]}"
    config = {"preset": "slack_bot", "secret_ref": "WEBHOOK_SLACK"}
    created = publisher.post("/v1/channels", json={"channel": slug, "channel_type": "webhook", "config": config})
    assert created.status_code == 201, created.text
    path = f"/v1/channels/{slug}/test"

    sent = publisher.post(path, json={"to": "C0123ABCD"}).json()
    assert sent["finished"], sent
    [delivery] = sent["notification"]["deliveries"]
    found = (delivery["status"], delivery["provider"], delivery["provider_message_id"])
    assert found == ("sent", "slack_bot", IDS["slack_bot"])
    assert slack.shown == [f"*Channel test*\nchannel: {slug}"]

    refused = publisher.post(path, json={"to": "C0000ZZZZ"}).json()
    [delivery] = refused["notification"]["deliveries"]
    assert (refused["finished"], delivery["status"], delivery["reason"]) == (True, "failed", "invalid_recipient")
    assert SECRETS["slack_bot"].split()[1] not in str(refused) + str(sent) + created.text

    publisher.post(f"/v1/channels/{slug}/toggle", json={"enabled": False})
    off = publisher.post(path, json={"to": "C0123ABCD"}).json()
    assert (off["finished"], off["notification"]["deliveries"][0]["reason"]) == (True, "channel_off")
