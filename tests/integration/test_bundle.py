"""The bundles as they are deployed: same bytes each time, and one that runs with only its own requirements."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from google.cloud.firestore import Client

from deploy import bundle
from functions.google.inbox import inbox_of
from local.emulators import Emulators
from local.processes import Child, free_port
from shared.outcomes import Outcome
from shared.topology import FUNCTIONS
from tests.factories import make_delivery, make_push

UV = Path(sys.executable).with_name("uv")
Arrived = Callable[[int], list[Outcome]]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_bundle_has_the_same_bytes_each_time(function: str, tmp_path: Path) -> None:
    first, second = (bundle.build(function, tmp_path / name) for name in ("first", "second"))
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == second.sha256


def test_bundle_holds_its_own_channel_type_and_no_other(tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle.build("sms", tmp_path).path) as archive:
        names = archive.namelist()
    assert {name.rpartition("/")[0] for name in names} == {
        "",
        "functions",
        "functions/google",
        "functions/runtime",
        "functions/sms",
        "shared",
        "transport",
    }
    assert {name for name in names if "/" not in name} == {"main.py", "requirements.txt"}
    assert {name for name in names if name.rpartition("/")[0] == "functions"} == {
        "functions/__init__.py",
        "functions/profile.py",
        "functions/wiring.py",
    }
    assert {name for name in names if name.rpartition("/")[0] == "transport"} == {
        "transport/__init__.py",
        "transport/port.py",
        "transport/pubsub.py",
        "transport/verdict.py",
    }
    assert "functions/sms/main.py" not in names
    assert "shared/channels.json" in names


@pytest.mark.parametrize("missing", ["functions/wiring.py", "functions/google/__init__.py", "functions/sms/main.py"])
def test_bundle_with_a_missing_file_is_an_error(tmp_path: Path, missing: str) -> None:
    for name in ("functions", "shared", "transport"):
        shutil.copytree(bundle.ROOT / name, tmp_path / name)
    (tmp_path / missing).unlink()

    with pytest.raises(FileNotFoundError, match=str(Path(missing).parent)):
        bundle.contents("sms", tmp_path)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundle of ``inapp`` in ``source``, and in ``venv`` a Python with its requirements only."""
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
    assert '"event":"message.undecodable"' in child.tail(), "logs are JSON"


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
