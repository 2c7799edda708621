"""Whether a Redis server keeps what it has stored: what Heliograph demands of its settings."""

from collections.abc import Callable, Mapping

from shared.errors import ConfigurationError
from shared.log_events import LogEvent
from shared.logs import EventLogger

URL = "REDIS_URL"
ACCEPTS_LOSS = "REDIS_ACCEPTS_LOSS"
_SETTINGS = ("appendonly", "maxmemory-policy")
_log = EventLogger(__name__)


class ConfigForbidden(Exception):
    """The server does not tell its settings."""


def accepts_loss(environ: Mapping[str, str]) -> bool:
    """Whether the operator accepts a server that may lose messages."""
    return environ.get(ACCEPTS_LOSS, "").lower() == "true"


def demand_durability(read_setting: Callable[[str], str], *, loss_accepted: bool) -> None:
    """Raise ``ConfigurationError`` for a server that may lose messages; only log it if that is accepted.

    ``read_setting`` returns the value of a setting, and raises ``ConfigForbidden``.
    """
    try:
        fault = fault_of({name: read_setting(name) for name in _SETTINGS})
    except ConfigForbidden:
        fault = (
            f"The server of {URL} refuses CONFIG GET, so Heliograph cannot know that it keeps its messages. Allow"
            " `CONFIG GET` to this user, or use a server with `appendonly yes`"
        )
    if fault is None:
        return
    if not loss_accepted:
        message = f"{fault}. To accept that messages may be lost and are published again, set {ACCEPTS_LOSS}=true."
        raise ConfigurationError(message)
    _log.warning(LogEvent.TRANSPORT_MAY_LOSE_MESSAGES, reason=fault)


def fault_of(settings: Mapping[str, str]) -> str | None:
    """What makes a server with ``settings`` lose messages, and what to set; None if nothing does."""
    if settings["appendonly"] != "yes":
        return (
            f"The server of {URL} does not write its messages to disk (appendonly is {settings['appendonly']!r}). Set"
            " `appendonly yes` in its configuration"
        )
    if settings["maxmemory-policy"].startswith("allkeys"):
        return (
            f"The server of {URL} deletes messages when its memory is full (maxmemory-policy is"
            f" {settings['maxmemory-policy']!r}). Set `maxmemory-policy noeviction` in its configuration"
        )
    return None
