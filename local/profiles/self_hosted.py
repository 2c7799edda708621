"""The profiles outside of Google Cloud: one worker hosts all functions. The redis profile also needs a Redis."""

import sys
from pathlib import Path

import psycopg

from local.config import WORKER_ROLE, StackConfig
from local.service import Launcher, Program, Service, Task
from shared.log_events import LogEvent
from shared.profile import Profile


def services(config: StackConfig, launcher: Launcher, logs: Path) -> list[Service]:
    """The worker, the role of Postgres that it uses, and the server of the transport, if it has one of its own."""
    return [
        *([_redis(config)] if config.profile is Profile.REDIS else []),
        Task(name="worker_role", run=lambda: _let_the_worker_log_in(config), needs=("migrate",)),
        Program(
            name="worker",
            launch=launcher("worker", [sys.executable, "-m", "local.worker_host"]),
            ready=lambda: _is_ready(logs / "worker.log"),
            needs=("worker_role", "redis", "rabbitmq"),
        ),
    ]


def _redis(config: StackConfig) -> Program:
    server = config.redis_server
    return Program(name="redis", launch=server.start, ready=server.ready)


def _let_the_worker_log_in(config: StackConfig) -> None:
    if config.owns_postgres:
        with psycopg.connect(config.database_url) as connection:
            connection.execute(f"alter role {WORKER_ROLE} login")


def _is_ready(log: Path) -> bool:
    return log.exists() and f'"{LogEvent.WORKER_READY.value}"' in log.read_text(errors="replace")
