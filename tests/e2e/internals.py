"""What a test of the whole stack does behind the API: one implementation for each profile."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, runtime_checkable

import pytest

from shared.outcomes import Outcome

_GOOGLE = pytest.param("google", marks=pytest.mark.emulators)
_SELF_HOSTED = ("postgres", "redis", "rabbitmq")
GOOGLE_AND_POSTGRES = (_GOOGLE, "postgres")
"""The profiles of a test that names no others: the two ways in which messages reach a function, pushed and taken."""


def _over(*profiles: object) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("stack", profiles, indirect=True, scope="session")


google_only = _over(_GOOGLE)
"""For what is about Google's services by its nature."""
postgres_only = _over("postgres")
"""For what does not depend on the transport, and is about no profile."""
redis_only = _over("redis")
"""For what Valkey loses."""
self_hosted_only = _over(*_SELF_HOSTED)
"""For what is about the worker that hosts every function."""
own_server_only = _over(_GOOGLE, "redis", "rabbitmq")
"""For what happens while the transport is away and Postgres is not."""
every_profile = _over(_GOOGLE, *_SELF_HOSTED)
"""For what may depend on the transport: whether messages survive when a process is killed."""


class Internals(Protocol):
    """The state behind the API, and the services that carry messages."""

    delivering: str
    """The service that carries messages to the functions: while it is frozen, nothing is delivered."""
    transport_server: str
    """The service that stores the messages of the transport."""
    repeats_after_postgres_was_away: bool
    """Whether a delivery that was sent while Postgres was away is sent again: its outcome could not be published."""

    def service_of(self, function: str) -> str:
        """The service that runs ``function``."""
        ...

    def give_up_messages_of(self, service: str) -> None:
        """Let what a killed service had taken be delivered again, as if its deadline were over."""
        ...

    def give_up_messages_of_all(self) -> None:
        """Let what was taken before the transport's server was killed be delivered again, when the server is back.

        As if the deadlines were over; also the leases, where the server kept the ledger.
        """
        ...

    def publishing_suspended(self) -> AbstractContextManager[None]:
        """Let every attempt to publish hang during the block."""
        ...

    def claimed_keys(self) -> set[str]:
        """The ledger keys that are claimed."""
        ...

    def interrupted_keys(self) -> set[str]:
        """The ledger keys that are claimed when a killed service can commit no more claims.

        In the google profile, the service's last calls can still end some of them.
        """
        ...

    def expire_lease(self, key: str) -> bool:
        """Move the end of a claim's lease into the past, as if the lease were over. False: there is no claim now."""
        ...

    def switches(self) -> dict[str, bool]:
        """The channel switches that the functions read."""
        ...

    def inbox(self, user_id: str) -> dict[str, datetime | None]:
        """A user's live inbox: for each notification, when it was read."""
        ...

    def refusals(self, subscription: str) -> int:
        """How many times a function refused a message of ``subscription``, which is therefore delivered again."""
        ...

    def publish_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Publish outcomes as a function does."""
        ...


@runtime_checkable
class CountsMessages(Protocol):
    """Internals that can look into the transport: those of the profiles outside of Google Cloud."""

    def messages_left(self) -> int:
        """How many messages the transport has for the functions."""
        ...


@runtime_checkable
class KeepsMessages(Protocol):
    """Internals that can keep a message away from a function: those of the profiles google and postgres."""

    def messages_kept(self, function: str, notification_id: str) -> AbstractContextManager[None]:
        """During the block, keep the published messages of a notification away from a frozen function."""
        ...
