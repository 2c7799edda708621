"""Takes what has queued up: the one way in which batches form here."""

import contextlib
import queue
from typing import TypeVar

T = TypeVar("T")


def gather(waiting: queue.SimpleQueue[T | None], limit: int) -> list[T]:
    """Wait for an item, and take up to ``limit`` with what has queued behind it. Empty after ``None`` was put."""
    first = waiting.get()
    if first is None:
        return []
    items = [first]
    with contextlib.suppress(queue.Empty):
        while len(items) < limit:
            item = waiting.get_nowait()
            if item is None:
                waiting.put(None)  # for the next call
                break
            items.append(item)
    return items
