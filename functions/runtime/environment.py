"""The settings that every function reads, and the check that names all missing ones at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from shared.errors import ConfigurationError
from shared.topology import OUTCOMES_TOPIC


@dataclass(frozen=True, slots=True)
class Settings:
    """What every function needs. ``outcomes_topic`` is a short name in ``project``.

    ``lease_seconds`` takes the place of the channel's own, for tests that wait for a lease to run out; in production
    one that is shorter than the function's timeout would send twice.
    """

    project: str
    outcomes_topic: str
    lease_seconds: float | None = None
    pubsub_emulator_host: str | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str], also: Iterable[str] = ()) -> Self:
        """Read the settings, and see that the names in ``also`` are set.

        Raises one ``ConfigurationError`` that names whatever is missing of both.
        """
        missing = [name for name in ("GOOGLE_CLOUD_PROJECT", *also) if not environ.get(name)]
        if missing:
            raise ConfigurationError.missing(missing)
        lease = environ.get("LEDGER_LEASE_SECONDS")
        return cls(
            environ["GOOGLE_CLOUD_PROJECT"],
            environ.get("OUTCOMES_TOPIC") or OUTCOMES_TOPIC,
            float(lease) if lease else None,
            environ.get("PUBSUB_EMULATOR_HOST"),
        )
