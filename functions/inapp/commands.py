"""The publisher's commands: mark or delete entries of an inbox, erase inboxes, store the channel switches."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from functions.runtime.inbox import can_have_inbox
from functions.runtime.ports import ChannelSwitchStore, Inbox
from functions.runtime.switches import SwitchTable
from shared.envelope import Command
from shared.errors import Retryable, Undecodable
from shared.outcomes import Outcome
from shared.reasons import Reason

_WAITS_FOR_NOTIFICATIONS = timedelta(hours=1)
"""How long a command is repeated for notifications that the inbox does not hold. Later than that they never arrive."""


def apply(command: Command, inbox: Inbox, switch_store: ChannelSwitchStore, now: datetime) -> None:
    """Carry out ``command``. Doing it twice, or late, changes nothing more.

    Raises ``Retryable`` (also when a notification has not arrived yet), ``CredentialsRefused`` or ``Undecodable``.
    """
    match command.command:
        case "read":
            _mark_named(command, inbox.mark_read, now)
        case "read_all":
            inbox.mark_all_read(_user_id(command), command.at)
            _mark_named(command, inbox.mark_read, now)
        case "seen":
            inbox.mark_seen(_user_id(command), command.at)
        case "archive":
            _mark_named(command, inbox.mark_archived, now)
        case "delete" | "erase" if command.user_id is not None and not can_have_inbox(command.user_id):
            pass  # there is no inbox
        case "delete":
            inbox.delete(_user_id(command), command.notification_ids)
        case "erase":
            inbox.erase(_user_id(command), command.at, now)
        case "channels":
            switch_store.write(SwitchTable(command.version, command.channels))


def outcome_of(command: Command, now: datetime) -> Outcome | None:
    """What the publisher must know of a command that was carried out: only that an inbox is erased."""
    if command.erasure_id is None:
        return None
    return Outcome(
        notification_id="", delivery_id=command.erasure_id, round=0, result="erased", at=now, until=command.at
    )


def _user_id(command: Command) -> str:
    if command.user_id is None or not can_have_inbox(command.user_id):
        message = f"The command {command.command} needs a user_id that can have an inbox."
        raise Undecodable(message)
    return command.user_id


def _mark_named(command: Command, mark: Callable[[str, Sequence[str], datetime], int], now: datetime) -> None:
    missing = mark(_user_id(command), command.notification_ids, command.at)
    if missing and now - command.at < _WAITS_FOR_NOTIFICATIONS:
        detail = f"{missing} of {len(command.notification_ids)} notifications are not in the inbox yet."
        raise Retryable(Reason.NOT_THERE_YET, detail)
