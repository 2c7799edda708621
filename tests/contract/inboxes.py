"""An inbox of each implementation, as the contract of ``Inbox`` uses it."""

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta

from google.cloud.firestore import Client

from functions.google.inbox import FirestoreInbox, inbox_of
from functions.postgres.inbox import PostgresInbox
from functions.runtime.inbox import InboxEntry
from functions.runtime.ports import Inbox
from postgres.pool import Pool
from tests.factories import NOON
from tests.fakes import MemoryInbox

LATER = NOON + timedelta(hours=1)

ENTRY = InboxEntry(
    notification_id="n1",
    delivery_id="d1",
    event_type="payment",
    tenant="acme",
    title="Paid",
    body="You paid 10.",
    url="/payments/1",
    data={"amount": 10},
    actor_user_id="grace",
    priority=100,
    created_at=NOON,
    accepted_at=NOON,
    delivered_at=LATER,
    seen_at=None,
    read_at=None,
    archived_at=None,
)


def entry(notification_id: str) -> InboxEntry:
    return dataclasses.replace(ENTRY, notification_id=notification_id)


@dataclasses.dataclass(frozen=True)
class Inboxes:
    """An inbox, and a look at what is in it."""

    port: Inbox
    of: Callable[[str], dict[str, InboxEntry]]

    def fill(self, *notification_ids: str, user_id: str = "ada") -> None:
        for notification_id in notification_ids:
            self.port.put(user_id, entry(notification_id))

    def read_at(self, *notification_ids: str, user_id: str = "ada") -> list[datetime | None]:
        found = self.of(user_id)
        return [found[notification_id].read_at for notification_id in notification_ids]

    def marks(self, notification_id: str, user_id: str = "ada") -> tuple[datetime | None, ...]:
        """When the entry was seen, read and archived."""
        found = self.of(user_id)[notification_id]
        return found.seen_at, found.read_at, found.archived_at


def count_versions(state: Pool, *user_ids: str) -> None:
    """Let the versions of these inboxes begin at 1, as release 0008 did."""
    with state.connection() as connection:
        heads = "insert into state.inbox_heads (user_id, version) select unnest(%s::text[]), 0"
        connection.execute(heads, [list(user_ids)])


def in_memory() -> Inboxes:
    memory = MemoryInbox()
    return Inboxes(memory, memory.entries)


def in_postgres(state: Pool) -> Inboxes:
    return Inboxes(PostgresInbox(state), lambda user_id: rows_of(state, user_id))


def in_firestore(client: Client) -> Inboxes:
    def of(user_id: str) -> dict[str, InboxEntry]:
        documents = {document.id: document.to_dict() or {} for document in inbox_of(client, user_id).stream()}
        names = {field.name for field in dataclasses.fields(InboxEntry)}
        return {
            key: InboxEntry(**{name: fields[name] for name in fields if name in names})
            for key, fields in documents.items()
        }

    return Inboxes(FirestoreInbox(client), of)


def rows_of(state: Pool, user_id: str) -> dict[str, InboxEntry]:
    names = ", ".join(field.name for field in dataclasses.fields(InboxEntry))
    with state.connection() as connection:
        rows = connection.execute(f"select {names} from state.inbox where user_id = %s", [user_id])  # noqa: S608 - constants
        return {row["notification_id"]: InboxEntry(**row) for row in rows}
