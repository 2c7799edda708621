"""Records the outcomes that functions report, and cancels what is not on its way yet."""

from collections.abc import Sequence
from uuid import UUID

from postgres.pool import Pool, autocommit
from publisher_api.deliveries import store
from publisher_api.deliveries.model import CancelResult
from publisher_api.erasures.service import inboxes_are_erased
from publisher_api.principal import Sight
from publisher_api.refusal import not_found
from shared.outcomes import Outcome


def record_outcomes(pool: Pool, outcomes: Sequence[Outcome]) -> None:
    """Record the outcomes; returns when they are committed. Raises ``psycopg.Error``.

    What is reported of a delivery that does not exist any more is dropped.
    """
    erased = [outcome for outcome in outcomes if outcome.result == "erased"]
    with autocommit(pool) as connection:
        store.record(connection, [outcome for outcome in outcomes if outcome.result != "erased"])
        if erased:
            inboxes_are_erased(connection, erased)


def cancel(pool: Pool, notification_id: UUID, sight: Sight) -> CancelResult:
    """Cancel the deliveries that are not on their way; returns when it is committed.

    Raises ``Refusal``, also if the notification is out of sight.
    """
    with autocommit(pool) as connection:
        canceled = store.cancel(connection, notification_id, sight)
    if not canceled.deliveries:
        raise not_found(f"Notification {notification_id}")
    return CancelResult(stopped=canceled.stopped, gone=canceled.gone)
