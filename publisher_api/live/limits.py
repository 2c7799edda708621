"""How long the parts of a stream wait."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLimits:
    """``beat``: without a change, a stream looks and sends something that often. ``blocked``: a reader that takes
    nothing for so long is disconnected. ``hello``: a WebSocket's first frame must arrive by then. ``rest``: between two
    reads for one stream, so that the changes of a burst go out together. All are seconds.
    """

    beat: float = 15.0
    blocked: float = 30.0
    hello: float = 5.0
    rest: float = 0.05
