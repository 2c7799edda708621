"""The publisher's commands: mark notifications as read, and store the channel switches."""

from datetime import datetime, timedelta

from functions.runtime.inbox import can_have_inbox
from functions.runtime.ports import ChannelSwitchStore, Inbox
from functions.runtime.switches import SwitchTable
from shared.envelope import Command
from shared.errors import Retryable, Undecodable
from shared.reasons import Reason

_WAITS_FOR_NOTIFICATIONS = timedelta(hours=1)
"""How long a command is repeated for notifications that the inbox does not hold. Later than that they never arrive."""


def apply(command: Command, inbox: Inbox, switch_store: ChannelSwitchStore, now: datetime) -> None:
    """Carry out ``command``. Doing it twice, or late, changes nothing more.

    Raises ``Retryable`` (also when a notification has not arrived yet), ``CredentialsRefused`` or ``Undecodable``.
    """
    match command.command:
        case "read":
            _mark_read(command, _user_id(command), inbox, now)
        case "read_all":
            user_id = _user_id(command)
            inbox.mark_all_read(user_id, command.at)
            _mark_read(command, user_id, inbox, now)
        case "channels":
            switch_store.write(SwitchTable(command.version, command.channels))


def _user_id(command: Command) -> str:
    if command.user_id is None or not can_have_inbox(command.user_id):
        message = f"The command {command.command} needs a user_id that can have an inbox."
        raise Undecodable(message)
    return command.user_id


def _mark_read(command: Command, user_id: str, inbox: Inbox, now: datetime) -> None:
    missing = inbox.mark_read(user_id, command.notification_ids, command.at)
    if missing and now - command.at < _WAITS_FOR_NOTIFICATIONS:
        detail = f"{missing} of {len(command.notification_ids)} notifications are not in the inbox yet."
        raise Retryable(Reason.NOT_THERE_YET, detail)
