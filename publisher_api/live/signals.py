"""Ends what a server would wait for when it is asked to stop."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def called_at_a_stop(call: Callable[[], None]) -> Iterator[None]:
    """Call ``call`` when the process gets a signal to stop, before the server's own handler runs.

    uvicorn waits for open streams before it ends the lifespan, and offers no hook before that. Signals reach the main
    thread only; elsewhere, and without a handler of a server, this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    theirs = {number: handler for number in _SIGNALS if callable(handler := signal.getsignal(number))}

    def stop(number: int, frame: FrameType | None) -> None:
        call()
        theirs[signal.Signals(number)](number, frame)

    for number in theirs:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in theirs.items():
            signal.signal(number, handler)
