"""What the sweeper does besides publishing: bounded pieces of work, each after a sweep and never instead of one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Chore:
    """``run`` does a bounded piece of work and returns whether there may be more, which follows after the next sweep.

    Otherwise it runs again after ``every``.
    """

    run: Callable[[datetime], bool]
    every: timedelta


class Chores:
    """Runs the chores that are due."""

    def __init__(self, chores: tuple[Chore, ...]) -> None:
        self._due: dict[Chore, datetime | None] = dict.fromkeys(chores)

    def run(self, now: datetime) -> None:
        """Do one piece of each chore that is due. Raises ``psycopg.Error``."""
        for chore, due in self._due.items():
            if due is None or now >= due:
                self._due[chore] = None if chore.run(now) else now + chore.every
