"""Being told to end: by Ctrl-C, by `kill`, by a terminal that closes."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SIGNALLED = 128  # a shell's way to say which signal ended a program


def end_on_signals() -> None:
    """From now on every signal that asks for an end raises ``SystemExit`` in the main thread, so that blocks unwind."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(_SIGNALLED + number)

    for number in _ENDING:
        signal.signal(number, end)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put off those signals until the block is done: whoever is tidying up is ending already.

    Only the main thread can do so; on another the block just runs.
    """
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        for number in set(_ENDING) & signal.sigpending():
            signal.sigwait([number])
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
