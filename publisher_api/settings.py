"""The publisher's settings, read once from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from postgres.address import database_address
from publisher_api.api_keys.settings import IssuerSettings
from publisher_api.inbox.settings import InboxSettings
from publisher_api.live.limits import LiveLimits
from shared.errors import ConfigurationError
from shared.profile import Profile, profile_of
from shared.topology import NOTIFICATIONS_TOPIC

GOOGLE_CERTS_URL = "https://www.googleapis.com/oauth2/v3/certs"
KEYLESS = ("GOOGLE_IDENTITY_ISSUER", "GOOGLE_IDENTITY_KEY", "GOOGLE_IDENTITY_PROVIDER", "GOOGLE_IDENTITY_SUBJECT")
_REQUIRED_BY_GOOGLE = ("GOOGLE_CLOUD_PROJECT", "PUSH_AUDIENCE", "PUSH_SERVICE_ACCOUNT")


def missing_identity(environ: Mapping[str, str]) -> list[str]:
    """The variables that a keyless identity lacks; none if there is no such identity at all."""
    missing = [name for name in KEYLESS if not environ.get(name)]
    return missing if len(missing) < len(KEYLESS) else []


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleSettings:
    """The google profile: where the topic is, and whose pushes are accepted.

    ``push_audience`` and ``push_service_account`` are the ``aud`` and ``email`` that Google's tokens for
    ``/internal/outcomes`` must have; ``certs_url`` serves the keys (JWKS) that sign them.
    """

    project: str
    topic: str = NOTIFICATIONS_TOPIC
    push_audience: str
    push_service_account: str
    certs_url: str = GOOGLE_CERTS_URL


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where Postgres is, and the profile. ``google`` is None in every other profile.

    ``producers``: whose tokens are accepted from producers, besides API keys; None: none are.

    ``connections`` to Postgres are the most that one instance holds, without those that listen: for changes of the
    configuration and, outside of the google profile, for messages and inboxes.
    """

    database_url: str
    profile: Profile
    google: GoogleSettings | None = None
    connections: int = 8
    inbox: InboxSettings = field(default_factory=InboxSettings)
    producers: IssuerSettings | None = None
    live: LiveLimits = field(default_factory=LiveLimits)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Raises ``ConfigurationError`` that names every missing variable at once, also those of the identity."""
        try:
            profile = profile_of(environ)
        except ConfigurationError as error:
            others = [name for name in ("DATABASE_URL",) if not environ.get(name)] + missing_identity(environ)
            if not others:
                raise
            message = f"{error} {ConfigurationError.missing(others)}"
            raise ConfigurationError(message) from None
        required = ("DATABASE_URL", *_REQUIRED_BY_GOOGLE) if profile is Profile.GOOGLE else ("DATABASE_URL",)
        if missing := [name for name in required if not environ.get(name)] + missing_identity(environ):
            raise ConfigurationError.missing(missing)
        inbox = InboxSettings.from_env(environ)
        return cls(
            database_url=database_address(environ),
            profile=profile,
            google=_google(environ) if profile is Profile.GOOGLE else None,
            connections=int(environ.get("DATABASE_CONNECTIONS", "8")),
            inbox=inbox,
            producers=IssuerSettings.from_env(environ, inbox),
            live=LiveLimits.from_env(environ),
        )


def _google(environ: Mapping[str, str]) -> GoogleSettings:
    return GoogleSettings(
        project=environ["GOOGLE_CLOUD_PROJECT"],
        topic=environ.get("NOTIFICATIONS_TOPIC", NOTIFICATIONS_TOPIC),
        push_audience=environ["PUSH_AUDIENCE"],
        push_service_account=environ["PUSH_SERVICE_ACCOUNT"],
        certs_url=environ.get("GOOGLE_CERTS_URL", GOOGLE_CERTS_URL),
    )
