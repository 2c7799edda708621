"""A service of the local stack: a program that runs until it is stopped, or a task that runs once."""

from collections.abc import Callable
from dataclasses import dataclass

from local.processes import Child

_READY_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that runs until it is stopped, and must be ready ``seconds`` after ``launch``.

    The thread that calls ``launch`` must live as long as the program (``local.processes.Child``). After a restart of
    this program, which loses its state, the services in ``restarts`` run again too.
    """

    name: str
    launch: Callable[[], Child]
    ready: Callable[[], bool]
    needs: tuple[str, ...] = ()
    restarts: tuple[str, ...] = ()
    seconds: float = _READY_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task that runs once, on a thread of its own: ready when ``run`` returns, failed when ``run`` raises."""

    name: str
    run: Callable[[], None]
    needs: tuple[str, ...] = ()
    restarts: tuple[str, ...] = ()


Service = Program | Task
Launch = Callable[[], Child]
Launcher = Callable[[str, list[str]], Launch]
"""How a service's program is launched, from the service's name and its command line."""
