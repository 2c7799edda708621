"""The events of a stream, whatever the protocol."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Event:
    """``snapshot`` and ``changes`` have a version and data (JSON). ``beat``: nothing changed. ``expired``: the last."""

    name: Literal["snapshot", "changes", "beat", "expired"]
    version: int | None = None
    data: str | None = None


BEAT = Event("beat")
EXPIRED = Event("expired")
