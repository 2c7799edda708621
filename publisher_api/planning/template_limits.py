"""The limits of a template: the size of every value that it builds, and the time that it takes.

The *size* of a value is the number of characters that it would have as text.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from jinja2.exceptions import SecurityError
from jinja2.runtime import Undefined

MAX_SIZE = 256 * 1024
_MAX_POWER = 64
_MAX_BITS = 4096
# Some methods of texts take the product of the lengths of the text and the argument.
_MAX_ARGUMENT = 1000
# All values that the operations of one rendering look at, and the texts that it renders, together.
_MAX_WORK = 32 * MAX_SIZE


class _Budget:
    """What a rendering has left: CPU time of its thread until ``deadline``, and ``size`` of values to work on."""

    __slots__ = ("deadline", "size")

    def __init__(self, deadline: float, size: float) -> None:
        self.deadline = deadline
        self.size = size


_budget: ContextVar[_Budget | None] = ContextVar("budget", default=None)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Allow ``seconds`` of this thread's CPU time, or what an outer block has left. A busy machine does not count."""
    outer = _budget.get()
    deadline = time.thread_time() + seconds
    token = _budget.set(_Budget(min(deadline, outer.deadline) if outer else deadline, _MAX_WORK))
    try:
        yield
    finally:
        _budget.reset(token)


def check_time() -> None:
    """Raises ``SecurityError`` when the time is used up."""
    budget = _budget.get()
    if budget is not None and time.thread_time() > budget.deadline:
        raise SecurityError("takes too long to render")


def check_size(*values: object, times: int = 1) -> None:
    """Raises ``SecurityError`` if ``values`` together, repeated ``times``, would be too large, or are no data."""
    size = 0
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        match value:
            case str():
                size += len(value)
            case None | bool() | float() | Undefined():
                size += 1
            case int():
                size += value.bit_length() // 3 + 1
            case dict():
                waiting += value.keys()
                waiting += value.values()
                size += len(value)
            case list() | tuple():
                waiting += value
                size += len(value)
            case _:
                message = f"a {type(value).__name__} is no text, number, list or mapping"
                raise SecurityError(message)
        if size * times > MAX_SIZE:
            message = f"is larger than {MAX_SIZE} characters"
            raise SecurityError(message)
    check_work(size * times)


def check_work(size: int) -> None:
    """Raises ``SecurityError`` when the rendering has worked on too much, with ``size`` characters or items more."""
    budget = _budget.get()
    if budget is not None:
        budget.size -= size
        if budget.size < 0:
            raise SecurityError("works on too much text")


def check_number(value: object) -> None:
    """Raises ``SecurityError`` if ``value`` is a number so large that computing with it takes long."""
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        raise SecurityError("a number that large is not allowed")


def check_argument(value: object) -> None:
    """Raises ``SecurityError`` if a method of a text, or a filter that calls one, could take long with ``value``."""
    if isinstance(value, str) and len(value) > _MAX_ARGUMENT:
        message = f"an argument of more than {_MAX_ARGUMENT} characters is not allowed"
        raise SecurityError(message)


def check_operator(operator: str, *operands: Any) -> None:
    """Raises ``SecurityError`` if ``left operator right``, or ``operator operand``, would be large or take long."""
    check_time()
    check_size(*operands)
    for operand in operands:
        check_number(operand)
    if len(operands) == 2:  # noqa: PLR2004 - the two sides
        _check_binary(operator, *operands)


def _check_binary(operator: str, left: Any, right: Any) -> None:
    if operator == "**" and not (abs(left) <= MAX_SIZE and abs(right) <= _MAX_POWER):
        raise SecurityError("a power that large is not allowed")
    if operator == "%" and isinstance(left, str):
        raise SecurityError("formatting with % is not allowed")
    if operator == "*":
        for value, times in ((left, right), (right, left)):
            if isinstance(value, str | list | tuple) and isinstance(times, int):
                check_size(value, times=max(times, 1))
        if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > _MAX_BITS:
            raise SecurityError("a number that large is not allowed")
