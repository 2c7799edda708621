"""A value that is built on first use, once, by the first thread that needs it."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lazy(Generic[T]):
    """Calls ``build`` at the first ``get`` and keeps the value. If ``build`` raises, the next ``get`` calls it again.

    Clients must not be built on import: gunicorn forks after importing, and gRPC does not survive a fork.
    (``functools.cache`` would build twice when the first two requests arrive together.)
    """

    def __init__(self, build: Callable[[], T]) -> None:
        self._build = build
        self._lock = threading.Lock()
        self._built: list[T] = []

    def get(self) -> T:
        """The value. Raises what ``build`` raises."""
        if not self._built:
            with self._lock:
                if not self._built:
                    self._built.append(self._build())
        return self._built[0]
