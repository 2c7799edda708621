"""Deliveries go into the inbox, commands are carried out."""

from collections.abc import Mapping
from functools import partial

from google.cloud.firestore import Client

from functions.inapp import commands
from functions.inapp.inbox import Inbox
from functions.runtime.deliver import Parts
from functions.runtime.ledger import NoLedger
from functions.runtime.push import Handler, Push
from functions.runtime.wiring import Connections, handle_delivery, now
from shared import envelope
from shared.envelope import Command


def connect(environ: Mapping[str, str]) -> Handler:
    """The function's parts. Raises ``ConfigurationError``."""
    connections = Connections.open(environ)
    parts = connections.parts(Inbox(connections.firestore, now), NoLedger())
    return partial(handle, connections.firestore, parts)


def handle(client: Client, parts: Parts, push: Push) -> None:
    """Raises ``Retryable``, ``CredentialsRefused`` or ``Undecodable``."""
    match envelope.decode(push.message.data):
        case Command() as command:
            commands.apply(client, command, parts.now())
        case _:
            handle_delivery("inapp", parts, push)
