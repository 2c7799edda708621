"""What the sweeper does besides publishing: bounded pieces of work, each after a sweep and never instead of one."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from shared.log_events import LogEvent
from shared.logs import EventLogger

_log = EventLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """``run`` does a bounded piece of work at a given time and returns whether there may be more at that time.

    If there is no more, or it fails, the chore is due again after ``every``. ``name`` is for the logs.
    """

    name: str
    run: Callable[[datetime], bool]
    every: timedelta


class Chores:
    """Runs the chores that are due, each for about ``budget`` at most. ``timer`` returns seconds and never goes back.

    A chore that has not ended then goes on when the chores run next, so that the sweeps in between publish.
    """

    def __init__(
        self, chores: tuple[Chore, ...], budget: timedelta, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._due: dict[Chore, datetime | None] = dict.fromkeys(chores)
        self._budget = budget
        self._timer = timer

    def run(self, now: datetime) -> None:
        """Run each chore that is due. Logs the failure of a chore, and goes on with the next."""
        for chore, due in self._due.items():
            if due is None or now >= due:
                self._due[chore] = None if self._has_more(chore, now) else now + chore.every

    def _has_more(self, chore: Chore, now: datetime) -> bool:
        ends_at = self._timer() + self._budget.total_seconds()
        try:
            while chore.run(now):
                if self._timer() >= ends_at:
                    return True
        except psycopg.Error as error:
            _log.warning(LogEvent.CHORE_FAILED, chore=chore.name, error=type(error).__name__)
        except Exception:  # noqa: BLE001 - a bug in one chore must not stop the others
            _log.exception(LogEvent.CHORE_FAILED, chore=chore.name)
        return False
