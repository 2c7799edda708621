"""How a part of the local stack is described: a program that stays, or a task that ends."""

from collections.abc import Callable
from dataclasses import dataclass

from local.processes import Child

_USUAL_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Something that runs until it is stopped; ready within ``seconds`` of being launched.

    ``launch`` is called where children may be started; ``remakes`` are the parts to do again once this one was
    restarted, because it forgets.
    """

    name: str
    launch: Callable[[], Child]
    ready: Callable[[], bool]
    needs: tuple[str, ...] = ()
    remakes: tuple[str, ...] = ()
    seconds: float = _USUAL_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to be done once, on a thread of its own; done when ``run`` returns, failed when it raises."""

    name: str
    run: Callable[[], None]
    needs: tuple[str, ...] = ()
    remakes: tuple[str, ...] = ()


Part = Program | Task
