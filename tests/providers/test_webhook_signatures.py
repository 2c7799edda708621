"""A receiver of webhooks cannot sign an event that another receiver would accept."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.factories import make_delivery
from tests.providers.adapters import OTHER_SECRET, SIGNING_SECRET, webhook
from tests.providers.server import ScriptedServer, serving

SHARED = OTHER_SECRET
"""The secret that all receivers shared before each had its own."""


def send(server: ScriptedServer, setting: str = SIGNING_SECRET, path: str = "/hook", **config: object) -> None:
    delivery = make_delivery("webhook", recipient=server.url + path, config=config)
    webhook(WEBHOOK_SIGNING_SECRET=setting).send(delivery)


def accepts(secret: str, server: ScriptedServer) -> bool:
    asked = server.asked[-1]
    try:
        Webhook(secret).verify(asked.body, dict(asked.headers.items()))
    except WebhookVerificationError:
        return False
    return True


def secret_of(server: ScriptedServer, setting: str = SIGNING_SECRET) -> str:
    """What an operator reads for this receiver."""
    command = [sys.executable, "-m", "deploy.webhook_secret", server.url.upper().replace("HTTP", "http") + "/any?x=1"]
    environ = os.environ | {"WEBHOOK_SIGNING_SECRET": setting}
    return subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stdout.strip()


def test_secret_of_one_receiver_signs_nothing_for_another(server: ScriptedServer) -> None:
    with serving() as other:
        send(server)
        send(other)
        assert accepts(secret_of(server), server)
        assert accepts(secret_of(other), other)
        assert not accepts(secret_of(other), server)
        assert not accepts(SIGNING_SECRET, server), "no receiver may know the master secret"


def test_requests_to_one_receiver_are_signed_with_one_secret(server: ScriptedServer) -> None:
    send(server, path="/a")
    assert accepts(secret_of(server), server)
    send(server, path="/b?token=1")
    assert accepts(secret_of(server), server)


def test_receiver_accepts_its_old_and_its_new_secret_while_the_master_rotates(server: ScriptedServer) -> None:
    old, new = secret_of(server, OTHER_SECRET), secret_of(server, SIGNING_SECRET)
    send(server, f"{SIGNING_SECRET} {OTHER_SECRET}")
    assert len(server.asked[-1].headers["webhook-signature"].split()) == 2
    assert (accepts(old, server), accepts(new, server)) == (True, True)
    assert secret_of(server, f"{SIGNING_SECRET} {OTHER_SECRET}").split() == [new, old]


def test_receivers_keep_the_shared_secret_until_each_has_its_own(server: ScriptedServer) -> None:
    send(server, f"{SIGNING_SECRET} shared:{SHARED}")
    assert (accepts(SHARED, server), accepts(secret_of(server), server)) == (True, True)


def test_secret_that_all_receivers_have_is_given_to_no_receiver(server: ScriptedServer) -> None:
    assert secret_of(server, f"{SIGNING_SECRET} shared:{SHARED}") == secret_of(server)


def test_handbook_makes_no_master_secret_of_a_secret_that_receivers_know() -> None:
    guide = (Path(__file__).parents[2] / "docs/operations.md").read_text(encoding="utf-8")
    [command] = re.findall(r"^(printf %s .*shared:.*) \|$", guide, re.MULTILINE)
    known = f"{SIGNING_SECRET} {OTHER_SECRET}"  # as while a secret rotates
    environ = os.environ | {"WEBHOOK_SIGNING_SECRET": known}
    done = subprocess.run(["/bin/bash", "-c", command], env=environ, check=True, capture_output=True, text=True)
    master, *shared = done.stdout.split()
    assert master not in known
    assert shared == [f"shared:{SIGNING_SECRET}", f"shared:{OTHER_SECRET}"]


def test_channels_own_secret_is_used_as_it_is_for_its_own_url(server: ScriptedServer) -> None:
    send(server, url=f"{server.url}/mine", secret_ref="TELEGRAM_SECRET")
    assert accepts(OTHER_SECRET, server)


def test_master_secret_signs_nothing_as_it_is_although_a_channel_names_it(server: ScriptedServer) -> None:
    send(server, url=server.url, secret_ref="WEBHOOK_SIGNING_SECRET")
    assert not accepts(SIGNING_SECRET, server)
    assert accepts(secret_of(server), server)


def test_channels_own_secret_is_derived_for_a_receiver_that_the_producer_names(server: ScriptedServer) -> None:
    send(server, secret_ref="TELEGRAM_SECRET")
    assert not accepts(OTHER_SECRET, server)
    assert accepts(secret_of(server, OTHER_SECRET), server)


@pytest.mark.parametrize(
    ("setting", "url", "error"),
    [
        ("", "https://a.example", "WEBHOOK_SIGNING_SECRET"),
        ("whsec_a", "https://a.example", "whsec_"),
        (SIGNING_SECRET, "a.example", "https://"),
        (SIGNING_SECRET, "https://bücher.example", "xn--"),
    ],
)
def test_command_says_what_is_wrong_and_shows_no_secret(setting: str, url: str, error: str) -> None:
    command = [sys.executable, "-m", "deploy.webhook_secret", url]
    environ = os.environ | {"WEBHOOK_SIGNING_SECRET": setting}
    done = subprocess.run(command, env=environ, check=False, capture_output=True, text=True)
    assert done.returncode != 0
    assert error in done.stderr
    assert "Traceback" not in done.stderr
    assert SIGNING_SECRET not in done.stderr + done.stdout
