"""What the benchmarks of the whole path stand on: the local stack of ``make demo``, with a state of its own."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from local.stack import Options, Stack

_TIMEOUT_SECONDS = 30


@contextmanager
def whole_stack() -> Iterator[tuple[Stack, httpx.Client]]:
    """The running stack and its API, signed in. Google's clients in this process then talk to the emulators."""
    with tempfile.TemporaryDirectory() as directory:
        state = Path(directory)
        state.chmod(0o755)  # the database server may run as a user of its own
        progress("starting the stack")
        with Stack(Options(state=state)) as stack:
            os.environ.update(stack.layout.emulators.environment)
            headers = {"Authorization": f"Bearer {stack.api_key}"}
            with httpx.Client(base_url=stack.layout.publisher_url, headers=headers, timeout=_TIMEOUT_SECONDS) as api:
                yield stack, api
        progress("")


def progress(doing: str) -> None:
    """Say what is being done, on the terminal's current line."""
    print(f"\r{doing:60}\r", end="", flush=True)
