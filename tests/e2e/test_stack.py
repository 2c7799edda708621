"""The local stack as a developer uses it: it starts, keeps running, and leaves no process behind."""

import os
import re
import signal
import subprocess
import sys
import uuid
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import psutil
import pytest

from local import emulators
from local.processes import StartFailed
from local.stack import Options, Stack
from shared.profile import Profile
from shared.topology import CHANNEL_TYPES
from tests.children import running
from tests.e2e.internals import every_profile, google_only
from tests.e2e.stack_driver import StackDriver
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.e2e

START_SECONDS = 90
END_SECONDS = 20


@pytest.fixture(params=[pytest.param("google", marks=pytest.mark.emulators), "postgres"])
def profile(request: pytest.FixtureRequest) -> Profile:
    """A profile whose stack the test starts itself."""
    profile = Profile(request.param)
    if profile is Profile.GOOGLE:
        try:
            emulators.find()
        except emulators.EmulatorsMissing as missing:
            pytest.skip(f"Google's emulators cannot run here: {', '.join(missing.missing)}.")
    return profile


def up(state: Path, profile: Profile, **environment: str) -> AbstractContextManager["subprocess.Popen[str]"]:
    """Run ``python -m local.up`` with the directory ``state``."""
    variables = os.environ | {"HELIOGRAPH_STATE": str(state), "PROFILE": profile} | environment
    return running([sys.executable, "-m", "local.up"], variables, subprocess.STDOUT)


def lines_until(process: "subprocess.Popen[str]", beginning: str) -> list[str]:
    """The output of ``process``, up to the line that starts with ``beginning``."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith(beginning):
            return lines
    pytest.fail(f"The process ended without a line {beginning!r}:\n" + "".join(lines))


def still_running(processes: list[psutil.Process]) -> list[str]:
    """The command lines of ``processes`` that have not ended within END_SECONDS."""
    _, alive = psutil.wait_procs(processes, timeout=END_SECONDS)
    return [" ".join(process.cmdline()) for process in alive if process.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_up_prints_a_working_curl_line_and_leaves_no_process(
    tmp_path: Path, profile: Profile, number: signal.Signals
) -> None:
    with up(tmp_path, profile) as process:
        curl = lines_until(process, "curl ")[-1]
        response = subprocess.run(["bash", "-c", curl], capture_output=True, text=True, check=True)  # noqa: S607
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        process.wait(END_SECONDS)

        assert "202 Accepted" in response.stdout
        assert len(children) > 10
        assert still_running(children) == []


def test_up_shows_the_log_of_a_service_that_fails_to_start_and_exits_with_1(tmp_path: Path, profile: Profile) -> None:
    with up(tmp_path, profile, DATABASE_URL="postgresql://127.0.0.1:1/nowhere") as process:
        output, _ = process.communicate(timeout=START_SECONDS)

    assert process.returncode == 1
    assert "✗ migrate ended with exit code 1" in output
    assert "Connection refused" in output


def test_up_stops_everything_and_exits_with_1_when_a_service_ends(tmp_path: Path, profile: Profile) -> None:
    with up(tmp_path, profile) as process:
        lines_until(process, "curl ")
        children = psutil.Process(process.pid).children(recursive=True)
        next(child for child in children if "local.sandbox" in child.cmdline()).kill()
        output, _ = process.communicate(timeout=END_SECONDS)

    assert process.returncode == 1
    state = tmp_path if profile is Profile.GOOGLE else tmp_path / f"{profile}-profile"
    log = state / "logs" / "sandbox.log"
    assert output.splitlines() == [f"✗ sandbox ended with exit code -9. Everything was stopped. Its log is {log}"]
    assert still_running(children) == []


def test_service_that_fails_to_start_stops_all_others(tmp_path: Path, profile: Profile) -> None:
    before = set(psutil.Process().children(recursive=True))
    broken = Stack(Options(tmp_path, profile=profile, extra_environment={"sandbox": {"PORT": "not a port"}}))

    with pytest.raises(StartFailed) as failure, broken:
        pytest.fail("The stack started.")

    assert failure.value.service == "sandbox"
    assert "invalid literal for int()" in failure.value.log
    assert set(psutil.Process().children(recursive=True)) <= before


def test_second_stack_in_the_same_directory_fails_to_start(stack: Stack) -> None:
    options = Options(stack.logs.parent, profile=stack.config.profile)
    with pytest.raises(StartFailed, match="already runs in"), Stack(options):
        pytest.fail("The stack started.")


def test_killed_service_restarts_on_the_same_port(stack: Stack) -> None:
    stack.kill("sandbox")
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{stack.config.sandbox_url}/health")

    stack.restart("sandbox")

    assert httpx.get(f"{stack.config.sandbox_url}/health").status_code == 200


@every_profile
def test_notification_arrives_over_every_channel_type(driver: StackDriver) -> None:
    user_id, token = f"u-{uuid.uuid4().hex}", uuid.uuid4().hex
    recipients = {
        "email": f"{token}@example.com",
        "sms": "+447700900124",
        "push": f"device-{token}",
        "webhook": driver.new_receiver(),
    }

    request = {"user_id": user_id, "event_type": "payment", "channels": CHANNEL_TYPES, "payload": {}, "to": recipients}
    notification_id = driver.api.post("/v1/notifications", json=request).raise_for_status().json()["notification_id"]

    eventually(lambda: driver.notification(notification_id)["status"] == "delivered", "the notification to arrive")
    deliveries = driver.notification(notification_id)["deliveries"]
    assert {each["channel"]: each["status"] for each in deliveries} == dict.fromkeys(CHANNEL_TYPES, "sent")
    assert [len(driver.arrivals(recipient)) for recipient in recipients.values()] == [1] * len(recipients)
    assert set(driver.internals.inbox(user_id)) == {notification_id}


@every_profile
def test_sandbox_shows_what_arrives_in_an_inbox_once(driver: StackDriver) -> None:
    user_id = f"u-{uuid.uuid4().hex}"
    content = {"title": "Paid", "body": "Thank you", "url": "/orders/7", "data": {"amount": 10}}
    first = driver.send("inapp", user_id=user_id, content={"inapp": content})
    eventually(lambda: driver.arrivals(user_id), "the sandbox to show the entry")
    driver.api.post(f"/v1/notifications/{first}/read").raise_for_status()
    eventually(lambda: driver.internals.inbox(user_id)[first], "the entry to be read")
    second = driver.send("inapp", user_id=user_id)
    eventually(lambda: len(driver.arrivals(user_id)) > 1, "the sandbox to show the second entry")

    shown, _ = arrivals = driver.arrivals(user_id)
    assert [(each["channel_type"], each["provider_message_id"]) for each in arrivals] == [
        ("inapp", first),
        ("inapp", second),
    ]
    assert shown["content"] == content


@google_only
def test_restarted_pubsub_gets_its_topics_and_delivers(stack: Stack, driver: StackDriver) -> None:
    stack.kill("pubsub")
    stack.restart("pubsub")

    notification_id = driver.send("sms", "+447700900123")

    assert driver.closed_delivery(notification_id)["status"] == "sent"
    assert len(driver.arrivals("+447700900123")) == 1


@google_only
def test_deliveries_queued_when_pubsub_ended_are_published_again(stack: Stack, driver: StackDriver) -> None:
    receiver = driver.new_receiver()
    stack.kill("push_bridge")
    notification_id = driver.send("webhook", receiver)
    eventually(lambda: driver.delivery(notification_id)["status"] == "queued", "the message to be published")
    stack.kill("pubsub")

    stack.restart("pubsub")

    assert driver.closed_delivery(notification_id)["status"] == "sent"
    assert len(driver.arrivals(receiver)) == 1


def test_without_the_sdk_and_docker_the_error_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(emulators.EmulatorsMissing) as missing:
        emulators.find({"PATH": str(tmp_path)})

    message = str(missing.value)
    assert "Java (`java`) is not installed" in message
    assert "the Google Cloud SDK (`gcloud`) is not installed" in message
    assert re.search(r"apt-get install .*google-cloud-cli-firestore-emulator", message)
