"""Pub/Sub unavailable, or it refuses a message: nothing accepted is lost, and nothing blocks another."""

import os
import subprocess
import sys

import httpx
import psycopg
import pytest

from local.processes import free_port
from publisher_api.cli.sweep import sweeping
from publisher_api.settings import Settings
from tests.publisher.running import Publisher, notification
from tests.publisher.sweeping import accept_pending
from tests.publisher.topic import waiting_for

pytestmark = pytest.mark.emulators


def test_without_pubsub_a_notification_is_accepted_and_published_later(
    google_publisher: Publisher,
) -> None:
    settings = google_publisher.settings
    assert settings.google
    environment = os.environ | {
        "DATABASE_URL": settings.database_url,
        "GOOGLE_CLOUD_PROJECT": settings.google.project,
        "PUSH_AUDIENCE": settings.google.push_audience,
        "PUSH_SERVICE_ACCOUNT": settings.google.push_service_account,
    }
    port = free_port()
    isolated = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "publisher_api.main:app", "--port", str(port), "--log-level", "warning"],
        env=environment | {"PUBSUB_EMULATOR_HOST": f"127.0.0.1:{free_port()}"},
        stdout=subprocess.DEVNULL,
    )
    try:
        waiting_for(lambda: _health(port), "the publisher without Pub/Sub")
        health = httpx.get(f"http://127.0.0.1:{port}/health", timeout=20)
        assert (health.status_code, health.json()["status"]) == (200, "degraded")
        response = httpx.post(
            f"http://127.0.0.1:{port}/v1/notifications",
            json=notification(),
            headers={"Authorization": f"Bearer {google_publisher.api_key}"},
            timeout=20,
        )
        assert response.status_code == 202
    finally:
        isolated.kill()
        isolated.wait()
    # That publisher is dead. Another instance's sweep, which reaches Pub/Sub, publishes it when the claim has ended.
    notification_id = response.json()["notification_id"]
    google_publisher.sql("update deliveries set sweep_at = now() where notification_id = %s", notification_id)
    assert google_publisher.topic.deliveries(notification_id)
    waiting_for(
        lambda: google_publisher.sql(
            "select 1 from deliveries where notification_id = %s and status = 'queued'", notification_id
        ),
        "the row to be marked",
    )


def _health(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", timeout=20).status_code == 200
    except httpx.TransportError:
        return False


def test_a_message_that_pubsub_refuses_ends_with_a_reason_and_blocks_no_other(
    google_unswept: Settings, google_publisher: Publisher
) -> None:
    bad, good = accept_pending(google_unswept), accept_pending(google_unswept)
    with psycopg.connect(google_unswept.database_url) as connection:
        # Larger than Pub/Sub accepts, which no accepted notification can be.
        connection.execute(
            """update deliveries set content = jsonb_build_object('title', repeat('x', 11000000))
                where notification_id = %s""",
            [bad],
        )
    with sweeping(google_unswept) as sweep_once:
        assert sweep_once() == 1
    assert google_publisher.topic.deliveries(good)
    with psycopg.connect(google_unswept.database_url) as connection:
        rows = connection.execute("select notification_id::text, status, reason from deliveries").fetchall()
        events = connection.execute("select result, reason from delivery_events").fetchall()
    assert sorted(rows) == sorted([(bad, "failed", "transport_refused"), (good, "queued", None)])
    assert events == [("failed", "transport_refused")]


def test_a_command_that_pubsub_refuses_is_removed(google_unswept: Settings) -> None:
    with psycopg.connect(google_unswept.database_url) as connection:
        connection.execute(
            """insert into commands (command_id, body, sweep_at)
               select gen_random_uuid(), jsonb_build_object('type', 'command', 'v', 1, 'command', 'read', 'at', now(),
                                                            'user_id', repeat('x', 11000000)), now()"""
        )
        connection.commit()
        with sweeping(google_unswept) as sweep_once:
            assert sweep_once() == 0
        assert connection.execute("select from commands").fetchall() == []
