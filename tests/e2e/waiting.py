"""Waits for what the stack does, and stops services for a while."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from local.stack import Stack

T = TypeVar("T")
TIMEOUT_SECONDS = 60.0
_freezing: Counter[int] = Counter()
"""How many blocks keep a process group stopped."""


def eventually(look: Callable[[], T | None], what: str | Callable[[], str], seconds: float = TIMEOUT_SECONDS) -> T:
    """Poll ``look`` until it returns something true, and return that.

    Fails with ``what`` after ``seconds``. As a function, it is called then.
    """
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            missing = what if isinstance(what, str) else what()
            message = f"Waited {seconds:g} s for {missing}, which did not happen."
            raise AssertionError(message)
        time.sleep(0.05)
    return found


@contextmanager
def frozen(stack: Stack, service: str) -> Iterator[None]:
    """Stop every process of ``service`` (SIGSTOP) during the block: it accepts connections and does not respond.

    It runs again after the last of several such blocks. The block may kill the service: a process that is started in
    its place runs.
    """
    group = stack.child(service).process.pid
    _freezing[group] += 1
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        _freezing[group] -= 1
        if not _freezing[group]:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGCONT)
