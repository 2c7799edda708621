"""``python -m functions.worker [FUNCTION …]``: hosts the functions outside of Google Cloud, in one process.

Without arguments it hosts all. It logs ``worker.ready`` when it takes messages, and tells systemd (``NOTIFY_SOCKET``).
On SIGTERM or SIGINT it takes no more messages, finishes those that it has begun, and ends with exit code 0.
"""

import argparse
import importlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterable, Mapping

from functions.postgres.process import process_of
from shared import logs
from shared.errors import ConfigurationError
from shared.log_events import LogEvent
from shared.logs import EventLogger
from shared.profile import VARIABLE, Profile, profile_of
from shared.topology import FUNCTIONS, RetryProfile, subscriptions
from transport.connect import Transport
from transport.port import Handler
from transport.worker import Worker, stop_all

_log = EventLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m functions.worker", description=__doc__)
    parser.add_argument("functions", nargs="*", metavar="FUNCTION", help=f"one of: {', '.join(FUNCTIONS)}")
    wanted: list[str] = parser.parse_args().functions or list(FUNCTIONS)
    if unknown := sorted(set(wanted) - set(FUNCTIONS)):
        parser.error(f"unknown functions: {', '.join(unknown)}. Known: {', '.join(FUNCTIONS)}.")
    logs.configure()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        run(wanted, os.environ, stopping)
    except ConfigurationError as error:
        sys.exit(str(error))


def run(functions: Iterable[str], environ: Mapping[str, str], stopping: threading.Event) -> None:
    """Host ``functions`` until ``stopping`` is set. Raises ``ConfigurationError``."""
    if profile_of(environ) is Profile.GOOGLE:
        others = ", ".join(profile for profile in Profile if profile is not Profile.GOOGLE)
        message = f"The worker is for self-hosted installations. Set {VARIABLE} to one of: {others}."
        raise ConfigurationError(message)
    handlers = _handlers(functions)
    process = process_of(environ)
    workers = _workers(handlers, process.transport, RetryProfile.from_env(environ))
    for worker in workers:
        worker.start()
    _log.info(LogEvent.WORKER_READY, functions=list(handlers), profile=profile_of(environ))
    _notify_systemd(environ, "READY=1")
    stopping.wait()
    _log.info(LogEvent.WORKER_STOPPING)
    _notify_systemd(environ, "STOPPING=1")
    stop_all(workers)
    process.close()


def _handlers(functions: Iterable[str]) -> dict[str, Handler]:
    """Build every function before the first message is taken: SDKs take half a second to load.

    Raises one ``ConfigurationError`` for all functions.
    """
    handlers: dict[str, Handler] = {}
    faults = []
    for name in functions:
        try:
            handlers[name] = importlib.import_module(f"functions.{name}.main").channel.get()
        except ConfigurationError as error:
            faults.append(f"  {name}: {error}")
    if faults:
        lines = "\n".join(faults)
        message = (
            f"The worker cannot host these functions:\n{lines}\n"
            "To host fewer, name them: python -m functions.worker email inapp dead_letter"
        )
        raise ConfigurationError(message)
    return handlers


def _workers(handlers: Mapping[str, Handler], transport: Transport, profile: RetryProfile) -> list[Worker]:
    """A worker for each subscription of the functions."""
    return [
        Worker(transport.queue(subscription), handler, subscription)
        for subscription in subscriptions(profile)
        if (handler := handlers.get(subscription.target or ""))
    ]


def _notify_systemd(environ: Mapping[str, str], state: str) -> None:
    """Tell a service manager that waits for it (``Type=notify``, see sd_notify(3))."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(state.encode(), f"\0{address[1:]}" if address.startswith("@") else address)


if __name__ == "__main__":
    main()
