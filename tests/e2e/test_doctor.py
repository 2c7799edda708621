"""The doctor examines the running local stack: first without a fault, then with several faults at once."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from google.pubsub_v1 import SubscriberClient

from local import pubsub_setup
from local.emulators import RULES
from local.postgres import ROOT
from local.stack import Stack
from shared.topology import TOPOLOGY
from tests.e2e.internals import google_only

pytestmark = pytest.mark.e2e


OTHER_RULES = "service cloud.firestore {match /databases/{d}/documents{match /{x=**}{allow read;}}}"


def run_doctor(state: Path) -> tuple[int, list[str]]:
    """The exit code of the doctor, and two lines for each failed check: the fault, and its fix."""
    ended = subprocess.run(
        [sys.executable, "-m", "doctor"],
        env=os.environ | {"HELIOGRAPH_STATE": str(state), "GOOGLE_CLOUD_PROJECT": ""},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""
    return ended.returncode, [line for line in ended.stdout.split("\n") if line.startswith(("✗ ", "    fix: "))]


@contextmanager
def other_rules(stack: Stack) -> Iterator[None]:
    """Other rules are in force in the Firestore emulator while the block runs."""
    emulators = stack.config.emulators
    url = f"http://{emulators.firestore_host}/emulator/v1/projects/{emulators.project}:securityRules"

    def put(text: str) -> None:
        rules = {"rules": {"files": [{"name": "firestore.rules", "content": text}]}}
        httpx.put(url, json=rules).raise_for_status()

    put(OTHER_RULES)
    try:
        yield
    finally:
        put(RULES.read_text())


@contextmanager
def without_the_sms_subscription(stack: Stack) -> Iterator[None]:
    """The subscription of SMS does not exist while the block runs."""
    emulators, sms = stack.config.emulators, TOPOLOGY["sms"]
    path = SubscriberClient.subscription_path(emulators.project, sms.subscription)
    with pubsub_setup.clients(emulators.pubsub_host) as (_, subscriber):
        declared = subscriber.get_subscription(subscription=path)
        subscriber.delete_subscription(subscription=path)
        try:
            yield
        finally:
            subscriber.create_subscription(request=declared)


@google_only
def test_doctor_finds_no_fault_in_a_running_stack(stack: Stack) -> None:
    assert run_doctor(stack.config.state) == (0, [])


@google_only
def test_doctor_finds_every_fault_and_none_after_they_are_fixed(stack: Stack) -> None:
    stack.stop("email")
    try:
        with without_the_sms_subscription(stack), other_rules(stack):
            code, lines = run_doctor(stack.config.state)
    finally:
        # Restart the emulator, which also creates its topology and restarts the bridge: an emulator's stream that lost
        # its subscription never delivers again.
        stack.restart("pubsub")
        stack.restart("email")

    faults = [line.partition(": http")[0] for line in lines if line.startswith("✗")]
    assert code == 1
    assert set(faults) >= {
        "✗ subscription notifications-sms is missing: what is published to notifications does not reach it",
        "✗ function email does not respond",
        f"✗ Firestore's rules are not those of firestore.rules: line 1 in force is `{OTHER_RULES}`",
    }
    assert {line for line in lines if not line.startswith("✗")} == {
        "    fix: make up  # if it runs, stop it first with Ctrl-C"
    }
    assert run_doctor(stack.config.state) == (0, [])


def test_doctor_without_a_stack_says_to_start_one(tmp_path: Path) -> None:
    missing = f"{tmp_path}/stack.env does not exist: start the local stack, or name the file of a deployment"

    assert run_doctor(tmp_path) == (1, [f"✗ {missing}", "    fix: make up"])
