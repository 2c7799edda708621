"""What a test of the whole stack does behind the API: one implementation for each profile."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

import pytest

from shared.outcomes import Outcome

google_only = pytest.mark.parametrize(
    "stack", [pytest.param("google", marks=pytest.mark.emulators)], indirect=True, scope="session"
)
"""For what is about Google's services by its nature."""
postgres_only = pytest.mark.parametrize("stack", ["postgres"], indirect=True, scope="session")


class Internals(Protocol):
    """The state behind the API, and the services that carry messages."""

    delivering: str
    """The service that carries messages to the functions: while it is frozen, nothing is delivered."""
    repeats_after_postgres_was_away: bool
    """Whether a delivery that was sent while Postgres was away is sent again: the ledger was away, too."""

    def service_of(self, function: str) -> str:
        """The service that runs ``function``."""
        ...

    def give_up_messages_of(self, service: str) -> None:
        """Let what a killed service had taken be delivered again, as if its deadline were over."""
        ...

    def messages_kept(self, function: str, notification_id: str) -> AbstractContextManager[None]:
        """During the block, keep the published messages of a notification away from a frozen function."""
        ...

    def publishing_suspended(self) -> AbstractContextManager[None]:
        """Let every attempt to publish hang during the block."""
        ...

    def claimed_keys(self) -> set[str]:
        """The ledger keys that are claimed."""
        ...

    def expire_lease(self, key: str) -> None:
        """Move the end of a claim's lease into the past, as if the lease were over."""
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
