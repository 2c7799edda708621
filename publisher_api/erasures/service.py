"""Erases users: at once what can be deleted at once, the rest in steps that the sweeper makes.

An erasure ends when nothing is on its way to a provider, no row is left, and the live inbox has reported that it is
erased. A user who comes back meanwhile keeps what is stored and accepted from then on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from postgres.pool import Connected, Pool, autocommit
from publisher_api.audit.service import forget, record
from publisher_api.deliveries.stop_store import STEP, stop_some
from publisher_api.erasures import store
from publisher_api.erasures.model import Erasure, ErasureView, view
from publisher_api.notifications import removal_store
from publisher_api.outbox.commands import add_command, has_commands, has_erase_command, remove_commands_of
from publisher_api.principal import Principal
from publisher_api.refusal import not_found
from shared.envelope import VERSION, Command
from shared.log_events import LogEvent
from shared.logs import EventLogger
from shared.outcomes import Outcome

SETTLED = timedelta(seconds=60)
"""How long after ``until`` an erasure may end at the earliest. A request that was accepted just before may be committed
later than the erasure was requested, and a function looks for an erased inbox only when a delivery is half as old."""
_ON_THE_WAY = timedelta(seconds=5)
_STEPS_AT_ONCE = 10
"""How often a request stops some deliveries. So it answers soon, also if many wait."""
_INBOX_REPORTS_WITHIN = timedelta(hours=1)
_log = EventLogger(__name__)


@dataclass(frozen=True, slots=True)
class Erasures:
    """The use cases of erasures. ``publish_soon`` is called when a command is committed."""

    pool: Pool
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    publish_soon: Callable[[], None]

    def request(self, user_id: str, caller: Principal) -> ErasureView:
        """Begin to erase the user, unless that is done or under way; returns where it stands."""
        with self.pool.connection() as connection:
            store.hold(connection, user_id)
            known = store.latest(connection, user_id)
            if known is not None and _covers(connection, known, user_id):
                return view(known)
            self._begin(connection, user_id, known)
            begun = store.latest(connection, user_id)
            if begun is None:
                raise RuntimeError("an erasure that was just begun does not exist")
            record(connection, caller, "user.erase", f"erasures/{begun.erasure_id}")
        self._stop_deliveries(user_id, begun.until)
        self.publish_soon()
        return view(begun)

    def get(self, erasure_id: UUID) -> ErasureView:
        """The erasure. Raises ``Refusal``."""
        with self.pool.connection() as connection:
            found = store.get(connection, erasure_id)
        if found is None:
            raise not_found(f"Erasure {erasure_id}", "It may have been complete for 30 days.")
        return view(found)

    def _begin(self, connection: Connected, user_id: str, known: Erasure | None) -> None:
        now = self.clock()
        last = store.last_accepted_at(connection, user_id)
        until = max(now, last) if last is not None else now
        if known is not None:
            # A running erasure begins again. What was reported of its first run has another ``until``.
            until = max(until, known.until + timedelta.resolution)
        store.begin(connection, self.new_id(), user_id, now, until, until + SETTLED)
        store.delete_profile(connection, user_id)
        forget(connection, f"users/{user_id}")
        # At once, so that the user's inbox is empty now. It is erased a second time in the end.
        command = Command(v=VERSION, command="erase", at=until, user_id=user_id)
        add_command(connection, self.new_id(), command, now)

    def _stop_deliveries(self, user_id: str, until: datetime) -> None:
        """Stop the deliveries, or the first of many, in short transactions. The sweeper stops what is left."""
        now = self.clock()
        with autocommit(self.pool) as connection:
            for _ in range(_STEPS_AT_ONCE):
                if stop_some(connection, user_id, until, now) < STEP:
                    return


def erase_some(pool: Pool, now: datetime, new_id: Callable[[], str]) -> bool:
    """Go one step with the erasure that is due the longest; returns whether another step may be due.

    Raises ``psycopg.Error``.
    """
    with pool.connection() as connection:
        erasure = store.claim_due(connection, now)
        if erasure is None or erasure.user_id is None:
            return False
        if erasure.rows_erased_at is not None and erasure.inbox_erased_at is not None:
            _complete(connection, erasure, erasure.user_id, now)
        elif erasure.rows_erased_at is not None:
            _erase_inbox(connection, erasure, erasure.user_id, now, new_id)
        else:
            _erase_rows(connection, erasure, erasure.user_id, now)
        return True


def inboxes_are_erased(connection: Connected, reports: Sequence[Outcome]) -> None:
    """Record the reports of the live inboxes. Ignores those of a run that has begun again since."""
    store.inboxes_are_erased(connection, reports)


def _covers(connection: Connected, erasure: Erasure, user_id: str) -> bool:
    """Whether the erasure erases, or has erased, everything that is stored of the user now."""
    if erasure.completed_at is None:
        return not store.has_anything(connection, user_id, erasure.until)
    # Whatever is here was stored after the erasure was complete, also if it was accepted before.
    return not store.has_anything(connection, user_id, None) and not has_commands(connection, user_id)


def _erase_rows(connection: Connected, erasure: Erasure, user_id: str, now: datetime) -> None:
    stopped = stop_some(connection, user_id, erasure.until, now)
    removed = removal_store.remove_some_of_user(connection, user_id, erasure.until, now)
    store.count_removed(connection, erasure.erasure_id, len(removed), sum(each.deliveries for each in removed))
    if stopped or removed:
        store.wait_until(connection, erasure.erasure_id, now)  # after the other erasures that are due
    elif removal_store.has_notifications(connection, user_id, erasure.until):
        store.wait_until(connection, erasure.erasure_id, now + _ON_THE_WAY)
    elif now < erasure.settled_at:
        store.wait_until(connection, erasure.erasure_id, erasure.settled_at)
    else:
        store.rows_are_erased(connection, erasure.erasure_id, now)


def _erase_inbox(
    connection: Connected, erasure: Erasure, user_id: str, now: datetime, new_id: Callable[[], str]
) -> None:
    """Let the inbox be erased for the last time, unless a command for that is under way."""
    erasure_id = str(erasure.erasure_id)
    command = Command(v=VERSION, command="erase", at=erasure.until, user_id=user_id, erasure_id=erasure_id)
    if not has_erase_command(connection, command):
        add_command(connection, new_id(), command, now)
    store.wait_until(connection, erasure.erasure_id, now + _INBOX_REPORTS_WITHIN)


def _complete(connection: Connected, erasure: Erasure, user_id: str, now: datetime) -> None:
    """Complete the erasure, if no command of it is left: one may have been published a moment ago, and repeated.

    A user who came back keeps the marks that they have made since.
    """
    came_back = store.has_anything(connection, user_id, erasure.until)
    if remove_commands_of(connection, user_id, erasure.until if came_back else now):
        store.wait_until(connection, erasure.erasure_id, now + _ON_THE_WAY)
        return
    store.complete(connection, erasure.erasure_id, now)
    _log.info(LogEvent.ERASURE_COMPLETED, erasure_id=str(erasure.erasure_id))
