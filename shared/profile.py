"""Where Heliograph runs: which transport carries its messages, and where the functions keep their state.

========  ==================  ====================================
profile   transport           ledger, switches and inboxes
========  ==================  ====================================
google    Pub/Sub             Firestore
postgres  a table             tables in the same Postgres
redis     Redis Streams       tables in Postgres
rabbitmq  RabbitMQ            tables in Postgres
========  ==================  ====================================
"""

from collections.abc import Mapping
from enum import StrEnum

from shared.errors import ConfigurationError

VARIABLE = "HELIOGRAPH_PROFILE"


class Profile(StrEnum):
    """The values of ``HELIOGRAPH_PROFILE``."""

    GOOGLE = "google"
    POSTGRES = "postgres"
    REDIS = "redis"
    RABBITMQ = "rabbitmq"


def profile_of(environ: Mapping[str, str]) -> Profile:
    """The profile that ``environ`` names; google where GOOGLE_CLOUD_PROJECT is set. Raises ``ConfigurationError``."""
    name = environ.get(VARIABLE) or (Profile.GOOGLE.value if environ.get("GOOGLE_CLOUD_PROJECT") else "")
    if name in list(Profile):
        return Profile(name)
    known = ", ".join(Profile)
    if name:
        message = f"{VARIABLE} is {name!r}. Its values are: {known}."
    else:
        message = f"Set {VARIABLE} to one of: {known}. It may be left out where GOOGLE_CLOUD_PROJECT is set (google)."
    raise ConfigurationError(message)
