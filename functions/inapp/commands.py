"""What the publisher asks of Firestore: mark as read, and set the switchboard."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from google.api_core.exceptions import AlreadyExists, FailedPrecondition
from google.cloud.firestore import Client, CollectionReference, DocumentReference, Query
from google.cloud.firestore_v1.base_query import FieldFilter

from functions.inapp.inbox import inbox_of, is_document_id
from functions.runtime.google_api import CALL, delivery_errors
from functions.runtime.switchboard import DOCUMENT
from shared.envelope import Command
from shared.errors import Retryable, Undecodable

_AT_ONCE = 400
"""Firestore writes at most 500 documents in one batch."""
_PATIENCE = timedelta(hours=1)
"""What has not come into the inbox so long after it was due there, and marked, never will."""


def apply(client: Client, command: Command, now: datetime) -> None:
    """Carry out ``command``. Doing it twice, or late, changes nothing more.

    Raises ``Retryable`` (also when it has overtaken a notification that it names), ``CredentialsRefused`` or
    ``Undecodable``.
    """
    with delivery_errors("inbox"):
        match command.command:
            case "read":
                _read(client, command, _user(command), now)
            case "read_all":
                _read_all(client, command, _user(command))
                _read(client, command, _user(command), now)
            case "channels":
                _set_switchboard(client, command)


def _user(command: Command) -> str:
    if command.user_id is None or not is_document_id(command.user_id):
        message = f"A command {command.command} needs the id of a user."
        raise Undecodable(message)
    return command.user_id


def _read(client: Client, command: Command, user_id: str, now: datetime) -> None:
    inbox = inbox_of(client, user_id)
    missing = 0
    for ids in _portions(command.notification_ids):
        found = list(client.get_all([inbox.document(each) for each in ids], ["read_at"], **CALL))
        _mark_read(client, [each.reference for each in found if each.exists and each.get("read_at") is None], command)
        missing += sum(not each.exists for each in found)
    if missing and now - command.at < _PATIENCE:
        raise Retryable("not_there_yet", f"{missing} of {len(command.notification_ids)} are not in the inbox.")


def _read_all(client: Client, command: Command, user_id: str) -> None:
    query = unread(inbox_of(client, user_id), command.at).limit(_AT_ONCE)
    while found := [each.reference for each in query.stream(**CALL)]:
        _mark_read(client, found, command)


def unread(inbox: CollectionReference, until: datetime) -> Query:
    """What is unread and was created by ``until``, newest first (the order that the index for clients has too)."""
    return (
        inbox.where(filter=FieldFilter("read_at", "==", None))
        .where(filter=FieldFilter("created_at", "<=", until))
        .order_by("created_at", direction=Query.DESCENDING)
    )


def _mark_read(client: Client, documents: Sequence[DocumentReference], command: Command) -> None:
    batch = client.batch()
    for document in documents:
        batch.update(document, {"read_at": command.at})
    if documents:
        batch.commit(**CALL)


def _set_switchboard(client: Client, command: Command) -> None:
    """Write the table unless a newer one is there: Pub/Sub keeps no order."""
    document = client.collection(DOCUMENT[0]).document(DOCUMENT[1])
    table = {"version": command.version, "channels": command.channels}
    try:
        document.create(table, **CALL)
    except AlreadyExists:
        found = document.get(**CALL)
        if found.get("version") >= command.version:
            return
        unchanged = client.write_option(last_update_time=found.update_time)
        try:
            # As a whole: merging would keep slugs that are gone, and read dots in a slug as a path.
            document.update(table, option=unchanged, **CALL)
        except FailedPrecondition as error:
            raise Retryable("contended", "Another table was written at the same time.") from error


def _portions(ids: Sequence[str]) -> Iterator[list[str]]:
    remaining = iter(ids)
    while portion := list(islice(remaining, _AT_ONCE)):
        yield portion
