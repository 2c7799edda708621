"""The google profile: Google's emulators, the push bridge, and a process for each function."""

import sys

from local import postgres, pubsub_setup
from local.config import StackConfig
from local.emulators import Image, Jars
from local.processes import answers
from local.service import Launcher, Program, Service, Task
from shared.topology import FUNCTIONS, subscriptions

_EMULATOR_READY_SECONDS = 300.0  # Docker may have to pull the image
_UNAUTHORIZED = 401


def services(config: StackConfig, launcher: Launcher, emulators: Jars | Image) -> list[Service]:
    """The emulators, the topics, the bridge and the functions; and what was on its way when the emulators ended."""
    addresses, ports = config.emulators, config.ports
    return [
        Program(
            name="pubsub",
            launch=launcher("pubsub", emulators.pubsub_command(ports.pubsub)),
            ready=lambda: answers(f"http://{addresses.pubsub_host}"),
            restarts=("topology", "push_bridge", "outbox"),  # the emulator keeps everything in memory
            seconds=_EMULATOR_READY_SECONDS,
        ),
        Program(
            name="firestore",
            launch=launcher("firestore", emulators.firestore_command(ports.firestore)),
            ready=lambda: answers(f"http://{addresses.firestore_host}"),
            seconds=_EMULATOR_READY_SECONDS,
        ),
        Task(
            name="topology",
            run=lambda: pubsub_setup.create(
                addresses.pubsub_host, addresses.project, subscriptions(config.retry_profile)
            ),
            needs=("pubsub",),
        ),
        Task(name="outbox", run=lambda: postgres.make_due(config.database_url), needs=("migrate", "topology")),
        Program(
            name="push_bridge",
            launch=launcher("push_bridge", [sys.executable, "-m", "local.push_bridge"]),
            ready=lambda: answers(f"{config.bridge_url}/health"),
            needs=("topology",),
        ),
        *(_function(config, launcher, name) for name in FUNCTIONS),
    ]


def _function(config: StackConfig, launcher: Launcher, name: str) -> Service:
    # A function needs no topics. It waits for them so that, on two cores, six functions that start at once do not
    # delay the migration and the topics, which the publisher needs.
    return Program(
        name=name,
        launch=launcher(name, [sys.executable, "-m", "local.function_host", name]),
        # The gate in front of the function responds with 401 to a request without a token: the function is running.
        ready=lambda: answers(config.function_url(name), _UNAUTHORIZED),
        needs=("topology",),
    )
