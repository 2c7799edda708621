"""Divides items into batches that are bounded by number and by size. Pure."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def batches(
    items: Iterable[T], size_of: Callable[[T], int], *, max_size: int, max_items: int | None = None
) -> Iterator[list[T]]:
    """Batches of up to ``max_items`` items whose sizes add up to at most ``max_size``. A larger item is alone.

    >>> list(batches(["a", "bb", "c", "dddd"], len, max_size=3))
    [['a', 'bb'], ['c'], ['dddd']]
    >>> list(batches("abc", len, max_size=9, max_items=2))
    [['a', 'b'], ['c']]
    """
    batch: list[T] = []
    total = 0
    for item in items:
        size = size_of(item)
        if batch and (len(batch) == max_items or total + size > max_size):
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += size
    if batch:
        yield batch
