"""Starts the stack for a developer at a terminal: shows the progress, or the error when it cannot start.

Reads PROFILE (``local/choice.py``), DATABASE_URL and AMQP_URL (use these servers instead of our own), and
HELIOGRAPH_STATE (a directory for data and logs instead of ``.local``).
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from local.choice import choose
from local.config import Ports
from local.emulators import EmulatorsMissing
from local.postgres import ROOT
from local.processes import StartFailed, free_port
from local.rabbitmq_server import RabbitmqMissing
from local.signals import end_on_signals
from local.stack import Options, Stack
from shared.errors import ConfigurationError
from shared.profile import Profile

_PREFERRED_PUBLISHER_PORT = 8080
_PREFERRED_SANDBOX_PORT = 8025
_LABELS = {
    "postgres_data": "Postgres data directory",
    "postgres": "Postgres",
    "redis": "Redis",
    "migrate": "Database schema",
    "outbox": "Outbox",
    "api_key": "API key",
    "pubsub": "Pub/Sub emulator",
    "firestore": "Firestore emulator",
    "topology": "Topics and subscriptions",
    "sandbox": "Provider sandbox",
    "push_bridge": "Push bridge",
    "publisher": "Publisher",
    "epmd": "Name server of Erlang",
    "rabbitmq": "RabbitMQ",
    "worker_role": "Role of the worker",
    "worker": "Worker",
}


@contextmanager
def stack_at_terminal(console: Console) -> Iterator[Stack]:
    """Run the whole stack during the block, and show its start on ``console``.

    If the stack cannot start, prints why and exits with 1.
    """
    end_on_signals()
    try:
        profile, reason = choose()
    except ConfigurationError as error:
        console.print(str(error), markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    console.print(f"Profile [bold]{profile}[/]: {escape(reason)}.", highlight=False, soft_wrap=True)
    ports = Ports(publisher=free_port(_PREFERRED_PUBLISHER_PORT), sandbox=free_port(_PREFERRED_SANDBOX_PORT))
    try:
        with console.status("Starting Heliograph …") as status:

            def ready(service: str, seconds: float) -> None:
                label = _LABELS.get(service, f"Function {service}")
                console.print(f"  [green]✓[/] {label:26} [dim]{seconds:5.1f} s[/]")

            state = Path(os.environ.get("HELIOGRAPH_STATE", ROOT / ".local"))
            if profile is not Profile.GOOGLE:
                state /= f"{profile}-profile"  # the profiles share no data: messages would be in the other transport
            options = Options(
                state,
                os.environ.get("DATABASE_URL"),
                os.environ.get("AMQP_URL"),
                profile=profile,
                ports=ports,
                progress=ready,
            )
            stack = Stack(options)
            stack.__enter__()
            status.stop()
    except (EmulatorsMissing, RabbitmqMissing) as missing:
        console.print(str(missing), markup=False, highlight=False, soft_wrap=True)  # commands to copy
        sys.exit(1)
    except StartFailed as failure:
        console.print(f"[bold red]✗ {failure.service}[/] {failure.reason}. Everything was stopped.", soft_wrap=True)
        console.print(failure.log or "It wrote no log.", markup=False, highlight=False)
        sys.exit(1)
    try:
        yield stack
    finally:
        stack.close()
