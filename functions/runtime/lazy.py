"""Something built on first use, once, by whichever thread comes first."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lazy(Generic[T]):
    """A value that ``build`` makes on the first call of ``get``; a build that raises is tried again at the next.

    Clients are not built on import: gunicorn forks after importing, and gRPC does not survive a fork.
    (``functools.cache`` would build twice when two first requests arrive together.)
    """

    def __init__(self, build: Callable[[], T]) -> None:
        self._build = build
        self._lock = threading.Lock()
        self._built: list[T] = []

    def get(self) -> T:
        """The value. Raises whatever ``build`` raises."""
        if not self._built:
            with self._lock:
                if not self._built:
                    self._built.append(self._build())
        return self._built[0]
