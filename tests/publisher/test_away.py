"""Postgres or Pub/Sub unavailable: what is answered, and that nothing accepted is lost."""

import os
import re
import subprocess
import sys
from dataclasses import replace

import httpx
import pytest

from local.processes import free_port
from publisher_api.settings import Settings
from tests.publisher.running import Publisher, notification, serving
from tests.publisher.topic import waiting_for

pytestmark = pytest.mark.emulators


def test_without_postgres_requests_get_503_with_retry_after(settings: Settings, api_key: str) -> None:
    nowhere = f"postgresql://none@127.0.0.1:{free_port()}/none"
    with serving(replace(settings, database_url=nowhere)) as url:
        response = httpx.post(
            f"{url}/v1/notifications",
            json=notification(),
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=20,
        )
        health = httpx.get(f"{url}/health", timeout=20)
    assert (response.status_code, response.headers["content-type"]) == (503, "application/problem+json")
    assert int(response.headers["retry-after"]) > 0
    assert (health.status_code, health.json()["status"]) == (503, "down")


def test_without_pubsub_a_notification_is_accepted_and_published_later(
    publisher: Publisher, settings: Settings
) -> None:
    environment = os.environ | {
        "DATABASE_URL": settings.database_url,
        "GOOGLE_CLOUD_PROJECT": settings.project,
        "PUSH_AUDIENCE": settings.push_audience,
        "PUSH_SERVICE_ACCOUNT": settings.push_service_account,
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
            headers={"Authorization": f"Bearer {publisher.api_key}"},
            timeout=20,
        )
        assert response.status_code == 202
    finally:
        isolated.kill()
        isolated.wait()
    # That publisher is dead. Another instance's sweep, which reaches Pub/Sub, publishes it when the claim has ended.
    notification_id = response.json()["notification_id"]
    publisher.sql("update deliveries set sweep_at = now() where notification_id = %s", notification_id)
    assert publisher.topic.deliveries(notification_id)
    waiting_for(
        lambda: publisher.sql(
            "select 1 from deliveries where notification_id = %s and status = 'queued'", notification_id
        ),
        "the row to be marked",
    )


def _health(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", timeout=20).status_code == 200
    except httpx.TransportError:
        return False


def test_a_delivery_without_an_outcome_is_published_again_after_expiry(publisher: Publisher) -> None:
    notification_id = publisher.accept()
    publisher.topic.deliveries(notification_id)
    waiting_for(
        lambda: publisher.sql(
            """update deliveries set expires_at = now() - interval '1 hour', sweep_at = now() - interval '50 minutes'
                where notification_id = %s and status = 'queued' returning 1""",
            notification_id,
        ),
        "the delivery to be queued",
    )
    assert len(publisher.topic.deliveries(notification_id, 2)) == 2


@pytest.mark.parametrize(
    "module", ["publisher_api.cli.sweep", "publisher_api.cli.migrate", "publisher_api.cli.keys", "publisher_api.main"]
)
def test_a_missing_environment_variable_is_named(module: str) -> None:
    bare = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    code = f"import runpy; runpy.run_module({module!r}, run_name='__main__')"
    if module.endswith("keys"):
        code = f"import sys; sys.argv = ['keys', 'list']; {code}"
    if module.endswith("main"):
        code = "from publisher_api.main import app"
    done = subprocess.run([sys.executable, "-c", code], env=bare, check=False, capture_output=True, text=True)
    assert done.returncode != 0
    assert "DATABASE_URL" in done.stderr


@pytest.mark.parametrize("module", ["publisher_api.cli.sweep", "publisher_api.main"])
def test_missing_variables_of_the_identity_are_named_together_with_the_others(module: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    environment["GOOGLE_IDENTITY_ISSUER"] = "https://publisher.test"
    code = "from publisher_api.main import app" if module.endswith("main") else f"from {module} import main; main()"
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False, capture_output=True, text=True)
    message = done.stderr.splitlines()[-1]
    assert done.returncode != 0
    assert {"DATABASE_URL", "GOOGLE_IDENTITY_KEY"} <= set(re.findall(r"[A-Z_]{5,}", message)), message
