"""The local stack as a person uses it: it starts, it stays, and it ends without a trace."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from local import emulators
from local.processes import StartFailed
from local.stack import Options, Stack
from tests.e2e.stack_driver import Journey

pytestmark = pytest.mark.journey

START_SECONDS = 90
END_SECONDS = 20


@contextmanager
def up(state: Path, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """``python -m local.up`` with ``state`` of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "local.up"],
        env=os.environ | {"HELIOGRAPH_STATE": str(state)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def lines_until(process: "subprocess.Popen[str]", beginning: str) -> list[str]:
    """What ``process`` prints, up to the line that starts with ``beginning``."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith(beginning):
            return lines
    pytest.fail("it ended early:\n" + "".join(lines))


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + END_SECONDS
    while not true():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.05)


def still_running(processes: list[psutil.Process]) -> list[str]:
    """Those of ``processes`` that have not ended within END_SECONDS."""
    _, alive = psutil.wait_procs(processes, timeout=END_SECONDS)
    return [" ".join(process.cmdline()) for process in alive if process.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_up_prints_a_curl_line_that_works_and_ends_without_an_orphan(tmp_path: Path, number: signal.Signals) -> None:
    with up(tmp_path) as process:
        curl = lines_until(process, "curl ")[-1]
        answer = subprocess.run(["bash", "-c", curl], capture_output=True, text=True, check=True)  # noqa: S607
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        process.wait(END_SECONDS)

        assert "202 Accepted" in answer.stdout
        assert len(children) > 10
        assert still_running(children) == []


def test_up_names_the_part_that_fails_with_its_last_words_and_exits_with_1(tmp_path: Path) -> None:
    with up(tmp_path, DATABASE_URL="postgresql://127.0.0.1:1/nowhere") as process:
        output, _ = process.communicate(timeout=START_SECONDS)

    assert process.returncode == 1
    assert "✗ migrate ended with exit code 1" in output
    assert "Connection refused" in output


def test_up_names_the_part_that_ends_and_its_log_ends_the_others_and_exits_with_1(tmp_path: Path) -> None:
    with up(tmp_path) as process:
        lines_until(process, "curl ")
        children = psutil.Process(process.pid).children(recursive=True)
        next(child for child in children if "local.sandbox" in child.cmdline()).kill()
        output, _ = process.communicate(timeout=END_SECONDS)

    assert process.returncode == 1
    log = tmp_path / "logs" / "sandbox.log"
    told = f"✗ sandbox ended with exit code -9. Everything is stopped; its log is {log}"
    assert output.splitlines() == [told]
    assert still_running(children) == []


def test_a_part_that_fails_ends_all_the_others(tmp_path: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    broken = Stack(Options(tmp_path, extra_environment={"sandbox": {"PORT": "not a port"}}))

    with pytest.raises(StartFailed) as failure, broken:
        pytest.fail("it must not start")

    assert failure.value.part == "sandbox"
    assert "invalid literal for int()" in failure.value.log
    assert set(psutil.Process().children(recursive=True)) <= before


def test_two_stacks_never_share_their_state(stack: Stack) -> None:
    with pytest.raises(StartFailed, match="is running already"), Stack(Options(stack.logs.parent)):
        pytest.fail("it must not start")


def test_a_killed_part_can_be_restarted_where_it_was(stack: Stack) -> None:
    stack.kill("sandbox")
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{stack.layout.sandbox_url}/health")

    stack.restart("sandbox")

    assert httpx.get(f"{stack.layout.sandbox_url}/health").status_code == 200


def test_a_pubsub_that_lost_everything_is_set_up_anew(stack: Stack, api: httpx.Client, sandbox: httpx.Client) -> None:
    stack.kill("pubsub")
    stack.restart("pubsub")

    body = {
        "user_id": "u1",
        "event_type": "payment",
        "channels": ["sms"],
        "payload": {},
        "to": {"sms": "+447700900123"},
    }
    api.post("/v1/notifications", json=body).raise_for_status()

    wait_until(lambda: len(sandbox.get("/arrivals").json()["arrivals"]) == 1)


def test_what_was_on_its_way_when_pubsub_ended_is_published_again(stack: Stack, journey: Journey) -> None:
    receiver = journey.receiver()
    stack.kill("push_bridge")
    notification_id = journey.send("webhook", receiver)
    wait_until(lambda: journey.delivery(notification_id)["status"] == "queued")
    stack.kill("pubsub")

    stack.restart("pubsub")  # with all that a start does to it

    assert journey.settled(notification_id)["status"] == "sent"
    assert len(journey.arrivals(receiver)) == 1


def test_without_the_sdk_and_docker_one_message_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(emulators.EmulatorsMissing) as missing:
        emulators.find({"PATH": str(tmp_path)})

    message = str(missing.value)
    assert "there is no Java" in message
    assert "there is no Google Cloud SDK" in message
    assert re.search(r"apt-get install .*google-cloud-cli-firestore-emulator", message)
