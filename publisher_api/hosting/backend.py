"""The port between the routes and the hosting: a container batches requests, a function handles its one."""

from collections.abc import Callable
from typing import Protocol

from publisher_api.accept.model import AcceptRequest, AcceptResult
from publisher_api.refusal import Refusal
from shared.outcomes import Outcome


class Backend(Protocol):
    """Accepts requests and records outcomes."""

    async def accept(self, request: AcceptRequest) -> AcceptResult | Refusal: ...

    async def accept_batch(self, parse: Callable[[], AcceptRequest], producer: str) -> AcceptResult | Refusal:
        """Parse and accept a batch of ``producer``, which takes too long for the event loop. Raises ``Refusal``."""

    async def record(self, outcome: Outcome) -> None:
        """Return when ``outcome`` is committed."""

    def command_added(self) -> None:
        """Publish soon: a command was added to the outbox and committed."""

    def start(self) -> None: ...

    def stop(self) -> None:
        """Finish what was begun. What is left is in the outbox."""
