import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from google.cloud.firestore import Client

from functions.google.inbox import inbox_of
from local import bundle
from local.emulators import Emulators
from local.processes import Child, free_port
from shared.outcomes import Outcome
from shared.topology import FUNCTIONS
from tests.factories import make_delivery, make_push

UV = Path(sys.executable).with_name("uv")
Arrived = Callable[[int], list[Outcome]]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_bundle_of_the_same_input_has_the_same_bytes(function: str, tmp_path: Path) -> None:
    first, second = (bundle.build(function, tmp_path / name) for name in ("first", "second"))
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == second.sha256


def test_bundle_contains_its_own_channel_type_and_no_other(tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle.build("sms", tmp_path).path) as archive:
        names = archive.namelist()
    folders = {name.split("/")[1] for name in names if name.count("/") == 2}
    assert folders == {"google", "runtime", "sms"}
    assert {"main.py", "requirements.txt", "functions/wiring.py", "shared/channels.json"} <= set(names)
    assert {name for name in names if name.startswith("transport/")} == {
        "transport/__init__.py",
        "transport/port.py",
        "transport/pubsub.py",
    }


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of ``inapp`` in an empty folder, and a Python that has its requirements and nothing else."""
    folder = tmp_path_factory.mktemp("bundle")
    with zipfile.ZipFile(bundle.build("inapp", folder).path) as archive:
        archive.extractall(folder / "source")
    requirements = str(folder / "source" / "requirements.txt")
    uv("venv", "--python", sys.executable, str(folder / "venv"))
    uv("pip", "install", "--python", str(folder / "venv" / "bin" / "python"), "--require-hashes", "-r", requirements)
    return folder


def uv(*arguments: str) -> None:
    ended = subprocess.run([UV, *arguments], check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.emulators
def test_bundle_starts_with_only_its_requirements_and_handles_a_push(
    unpacked: Path, emulators: Emulators, firestore: Client, arrived: Arrived
) -> None:
    port = free_port()
    child = start(unpacked, port, emulators.environment | {"GOOGLE_CLOUD_PROJECT": firestore.project})
    try:
        child.wait_ready(lambda: is_up(port), 60)
        delivery = make_delivery("inapp", expires_at=datetime.now(UTC) + timedelta(hours=1))
        handled = httpx.post(f"http://127.0.0.1:{port}/", content=make_push(delivery), timeout=30)
        refused = httpx.post(f"http://127.0.0.1:{port}/", content=b"{}", timeout=30)
    finally:
        child.stop()
    assert (handled.status_code, refused.status_code) == (204, 400), child.tail()
    assert [outcome.result for outcome in arrived(1)] == ["sent"]
    assert [each.id for each in inbox_of(firestore, "ada").stream()] == [delivery.notification_id]
    assert '"event": "message.undecodable"' in child.tail(), "logs are JSON"


def start(unpacked: Path, port: int, environ: dict[str, str]) -> Child:
    command = [str(unpacked / "venv" / "bin" / "functions-framework"), "--target=inapp", "--host=127.0.0.1"]
    source = f"--source={unpacked / 'source' / 'main.py'}"
    clean = {"PATH": os.environ["PATH"], **environ}
    return Child.start("bundle", [*command, source, f"--port={port}"], log=unpacked / "log", env=clean)


def is_up(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/robots.txt", timeout=2).status_code in (200, 404)
    except httpx.TransportError:
        return False
