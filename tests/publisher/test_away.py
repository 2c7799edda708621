"""Postgres unavailable, an outcome missing, a variable missing: what is answered."""

import os
import re
import subprocess
import sys
from dataclasses import replace

import httpx
import pytest

from local.processes import free_port
from publisher_api.settings import Settings
from shared.profile import VARIABLE, Profile
from tests.publisher.running import Publisher, notification, serving
from tests.publisher.topic import waiting_for


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


def bare(**given: str) -> dict[str, str]:
    """An environment with nothing of ours but ``given``."""
    return {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")} | given


def stderr_of(module: str, environment: dict[str, str]) -> str:
    """What ``module`` writes when it cannot start."""
    arguments = {"publisher_api.cli.keys": ["list"], "publisher_api.cli.apply": ["."]}.get(module, [])
    code = f"import sys; sys.argv = {['x', *arguments]}; "
    if module.endswith("main"):
        code += "from publisher_api.main import app"
    else:
        code += f"from {module} import main; main()"
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False, capture_output=True, text=True)
    assert done.returncode != 0
    return done.stderr


@pytest.mark.parametrize("profile", [Profile.GOOGLE, Profile.POSTGRES])
@pytest.mark.parametrize(
    "module",
    [
        "publisher_api.cli.sweep",
        "publisher_api.cli.migrate",
        "publisher_api.cli.keys",
        "publisher_api.cli.apply",
        "publisher_api.main",
    ],
)
def test_a_missing_environment_variable_is_named(module: str, profile: Profile) -> None:
    assert "DATABASE_URL" in stderr_of(module, bare(**{VARIABLE: profile}))


@pytest.mark.parametrize("module", ["publisher_api.cli.sweep", "publisher_api.main"])
def test_a_missing_profile_is_named_with_its_values(module: str) -> None:
    message = stderr_of(module, bare(DATABASE_URL="postgresql:///none")).splitlines()[-1]
    assert {VARIABLE, *Profile} <= set(re.findall(r"\w+", message))


@pytest.mark.parametrize("module", ["publisher_api.cli.sweep", "publisher_api.main"])
def test_missing_variables_of_the_identity_are_named_together_with_the_others(module: str) -> None:
    environment = bare(GOOGLE_IDENTITY_ISSUER="https://publisher.test", **{VARIABLE: Profile.GOOGLE})
    message = stderr_of(module, environment).splitlines()[-1]
    named = set(re.findall(r"[A-Z_]{5,}", message))
    assert {"DATABASE_URL", "GOOGLE_CLOUD_PROJECT", "PUSH_AUDIENCE", "GOOGLE_IDENTITY_KEY"} <= named, message
