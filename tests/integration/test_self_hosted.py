"""A self-hosted installation: the code that its image holds, and a Python with requirements/self_hosted.txt only."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from local.config import WORKER_ROLE, StackConfig
from local.processes import Child, answers, free_port
from shared.log_events import LogEvent
from shared.profile import VARIABLE, Profile
from shared.topology import FUNCTIONS

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
READY_SECONDS = 60.0
COPIES = re.compile(r"^COPY (\w+) (\w+)$", re.MULTILINE)
IMPORT_EVERYTHING = f"""
import importlib
from importlib.util import find_spec

import aio_pika, hiredis, redis
import publisher_api.app, publisher_api.main
import publisher_api.cli.apply, publisher_api.cli.keys, publisher_api.cli.migrate, publisher_api.cli.sweep
from functions.postgres.process import process_of
from functions.worker import run

for name in {FUNCTIONS}:
    importlib.import_module(f"functions.{{name}}.main")
assert not find_spec("google.cloud.pubsub") and not find_spec("google.cloud.pubsub_v1")
"""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the code of the image in ``srv``, and in ``venv`` a Python with its requirements only."""
    folder = tmp_path_factory.mktemp("self_hosted")
    for source, target in COPIES.findall((ROOT / "deploy" / "self_hosted.Dockerfile").read_text(encoding="utf-8")):
        shutil.copytree(ROOT / source, folder / "srv" / target)
    requirements = str(ROOT / "requirements" / "self_hosted.txt")
    uv("venv", "--python", sys.executable, str(folder / "venv"))
    uv("pip", "install", "--python", str(folder / "venv/bin/python"), "--require-hashes", "-r", requirements)
    return folder


def uv(*arguments: str) -> None:
    ended = subprocess.run([UV, *arguments], check=False, capture_output=True, text=True, timeout=110)
    assert ended.returncode == 0, ended.stderr


def run(installation: Path, *arguments: str, **environ: str) -> None:
    ended = subprocess.run(
        [installation / "venv/bin/python", *arguments],
        cwd=installation / "srv",
        env={"PATH": os.environ["PATH"], VARIABLE: Profile.POSTGRES, **environ},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr


def test_publisher_and_worker_need_no_pubsub(installation: Path) -> None:
    run(installation, "-c", IMPORT_EVERYTHING)


@pytest.fixture
def config(tmp_path: Path, postgres_url: str) -> StackConfig:
    config = StackConfig(tmp_path, postgres_url, owns_postgres=True, profile=Profile.POSTGRES)
    config.write_credentials_file()
    with psycopg.connect(postgres_url) as connection:
        connection.execute(f"alter role {WORKER_ROLE} login")
    return config


def start(installation: Path, config: StackConfig, service: str, *arguments: str, **environ: str) -> Child:
    # Without `cd`, Python would find the code of this checkout.
    command = ["sh", "-c", 'cd "$0" && exec "$@"', str(installation / "srv"), str(installation / "venv/bin/python")]
    env = config.environment(service) | {"PYTHONPATH": "", **environ}
    return Child.start(service, [*command, *arguments], log=config.state / f"{service}.log", env=env)


def test_worker_tells_systemd_that_it_is_ready_and_that_it_stops(installation: Path, config: StackConfig) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(config.state / "notify"))
        manager.settimeout(READY_SECONDS)
        worker = start(installation, config, "worker", "-m", "functions.worker", NOTIFY_SOCKET=manager.getsockname())
        try:
            assert manager.recv(100) == b"READY=1", worker.tail()
            worker.ask_to_stop()
            assert manager.recv(100) == b"STOPPING=1"
            assert worker.process.wait(30) == 0, worker.tail()
        finally:
            worker.kill()
        assert f'"{LogEvent.WORKER_STOPPING}"' in worker.tail()


def test_publisher_starts_after_the_migration(installation: Path, config: StackConfig) -> None:
    run(installation, "-m", "publisher_api.cli.migrate", DATABASE_URL=make_conninfo(config.database_url))
    port = free_port()
    command = ["-m", "uvicorn", "publisher_api.main:app", "--host", "127.0.0.1", "--port", str(port)]
    publisher = start(installation, config, "publisher", *command)
    try:
        publisher.wait_ready(lambda: answers(f"http://127.0.0.1:{port}/health/ready"), READY_SECONDS)
        health = httpx.get(f"http://127.0.0.1:{port}/health", timeout=10).json()
    finally:
        publisher.stop()
    assert (health["status"], health["transport"]["status"]) == ("ok", "ok")
