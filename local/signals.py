"""Handles the signals that ask a program to end: Ctrl-C, `kill`, a closed terminal."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_EXIT_CODE_OF_SIGNAL = 128  # a shell reports a program that a signal ended as 128 + the signal's number


def end_on_signals() -> None:
    """Let each of these signals raise ``SystemExit`` in the main thread, so that ``finally`` and ``with`` run."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(_EXIT_CODE_OF_SIGNAL + number)

    for number in _END_SIGNALS:
        signal.signal(number, end)


@contextmanager
def end_signals_ignored() -> Iterator[None]:
    """Ignore these signals during the block, which is for cleanup: the program is ending already.

    Works on the main thread only; on another thread the block runs without protection.
    """
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _END_SIGNALS)
    try:
        yield
    finally:
        for number in set(_END_SIGNALS) & signal.sigpending():
            signal.sigwait([number])
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
