"""How many streams there may be, and how long their parts wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from shared.errors import ConfigurationError

STREAMS = 10_000
STREAMS_PER_USER = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLimits:
    """``streams``: in one process. ``streams_per_user``: of one user in one process.

    ``beat``: without a change, a stream looks and sends something that often. ``blocked``: a reader that takes
    nothing for so long is disconnected. ``hello``: a WebSocket's first frame must arrive by then. ``rest``: between two
    reads for one stream, so that the changes of a burst go out together. All are seconds.
    """

    streams: int = STREAMS
    streams_per_user: int = STREAMS_PER_USER
    beat: float = 15.0
    blocked: float = 30.0
    hello: float = 5.0
    rest: float = 0.05

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Raises ``ConfigurationError``."""
        return cls(
            streams=_positive(environ, "INBOX_STREAMS", STREAMS),
            streams_per_user=_positive(environ, "INBOX_STREAMS_PER_USER", STREAMS_PER_USER),
        )


def _positive(environ: Mapping[str, str], name: str, default: int) -> int:
    found = environ.get(name) or str(default)
    if not found.isascii() or not found.isdigit() or int(found) < 1:
        message = f"{name} is {found!r}. Set a whole number from 1 on, or nothing for {default}."
        raise ConfigurationError(message)
    return int(found)
