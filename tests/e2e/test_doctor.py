"""The doctor at the bedside of the local stack: well at first, then damaged part by part."""

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

pytestmark = [pytest.mark.emulators, pytest.mark.e2e]


OLD_RULES = "service cloud.firestore {match /databases/{d}/documents{match /{x=**}{allow read;}}}"


def examined(state: Path) -> tuple[int, list[str]]:
    """The exit code, and the lines of every fault: what is wrong, and below it what mends it."""
    done = subprocess.run(
        [sys.executable, "-m", "doctor"],
        env=os.environ | {"HELIOGRAPH_STATE": str(state), "GOOGLE_CLOUD_PROJECT": ""},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, [line for line in done.stdout.split("\n") if line.startswith(("✗ ", "    mend: "))]


@contextmanager
def old_rules(stack: Stack) -> Iterator[None]:
    where = stack.config.emulators
    address = f"http://{where.firestore_host}/emulator/v1/projects/{where.project}:securityRules"

    def put(text: str) -> None:
        rules = {"rules": {"files": [{"name": "firestore.rules", "content": text}]}}
        httpx.put(address, json=rules).raise_for_status()

    put(OLD_RULES)
    try:
        yield
    finally:
        put(RULES.read_text())


@contextmanager
def without_the_sms_subscription(stack: Stack) -> Iterator[None]:
    where, channel = stack.config.emulators, TOPOLOGY["sms"]
    path = SubscriberClient.subscription_path(where.project, channel.subscription)
    with pubsub_setup.clients(where.pubsub_host) as (_, subscriber):
        declared = subscriber.get_subscription(subscription=path)
        subscriber.delete_subscription(subscription=path)
        try:
            yield
        finally:
            subscriber.create_subscription(request=declared)


def test_the_doctor_finds_nothing_wrong_with_a_stack_that_runs(stack: Stack) -> None:
    assert examined(stack.config.state) == (0, [])


def test_the_doctor_finds_every_part_that_was_damaged(stack: Stack) -> None:
    stack.stop("email")
    try:
        with without_the_sms_subscription(stack), old_rules(stack):
            code, told = examined(stack.config.state)
    finally:
        # Anew with its topology and the bridge: streams of the emulator that lost their subscription stall for good.
        stack.restart("pubsub")
        stack.restart("email")

    faults = [line.partition(": http")[0] for line in told if line.startswith("✗")]
    assert code == 1
    assert set(faults) >= {
        "✗ subscription notifications-sms is missing: nobody gets what is published to notifications for it",
        "✗ function email does not answer",
        f"✗ Firestore's rules are not those of firestore.rules: line 1 in force is `{OLD_RULES}`",
    }
    assert {line for line in told if not line.startswith("✗")} == {"    mend: make up  # after Ctrl-C where it runs"}
    assert examined(stack.config.state) == (0, [])


def test_the_doctor_says_when_no_stack_runs(tmp_path: Path) -> None:
    absent = f"{tmp_path}/stack.env is not there: the local stack does not run, or this is no deployment's file"

    assert examined(tmp_path) == (1, [f"✗ {absent}", "    mend: make up"])
