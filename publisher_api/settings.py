"""The publisher's settings, read once from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from publisher_api.db.address import database_address
from shared.errors import ConfigurationError
from shared.topology import NOTIFICATIONS_TOPIC

GOOGLE_CERTS_URL = "https://www.googleapis.com/oauth2/v3/certs"
_REQUIRED = ("DATABASE_URL", "GOOGLE_CLOUD_PROJECT", "PUSH_AUDIENCE", "PUSH_SERVICE_ACCOUNT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where Postgres and the topic are, and whose pushes are accepted.

    ``push_audience`` and ``push_service_account`` are the ``aud`` and ``email`` that Google's tokens for
    ``/internal/outcomes`` must have; ``google_certs_url`` serves the keys (JWKS) that sign them. ``connections`` is the
    size of the pool.
    """

    database_url: str
    project: str
    topic: str
    push_audience: str
    push_service_account: str
    google_certs_url: str = GOOGLE_CERTS_URL
    connections: int = 8

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Raises ``ConfigurationError`` that names every missing variable at once."""
        missing = [name for name in _REQUIRED if not environ.get(name)]
        if missing:
            raise ConfigurationError.missing(missing)
        return cls(
            database_url=database_address(environ),
            project=environ["GOOGLE_CLOUD_PROJECT"],
            topic=environ.get("NOTIFICATIONS_TOPIC", NOTIFICATIONS_TOPIC),
            push_audience=environ["PUSH_AUDIENCE"],
            push_service_account=environ["PUSH_SERVICE_ACCOUNT"],
            google_certs_url=environ.get("GOOGLE_CERTS_URL", GOOGLE_CERTS_URL),
            connections=int(environ.get("DATABASE_CONNECTIONS", "8")),
        )
