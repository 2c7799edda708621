"""The addresses and identities of the deployment to examine, read from the environment or a ``NAME=value`` file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from postgres.address import database_address
from publisher_api.settings import GOOGLE_CERTS_URL
from shared.errors import ConfigurationError
from shared.profile import VARIABLE, Profile
from shared.topology import FUNCTIONS, RetryProfile

_LINE = re.compile(r"(?P<name>[A-Z][A-Z0-9_]*)=(?P<value>.*)")


def function_variable(name: str) -> str:
    """The variable that holds the URL of the function ``name``."""
    return f"FUNCTION_URL_{name.upper()}"


def service_name(name: str) -> str:
    """The name in Google Cloud of the function ``name`` and of its Cloud Run service."""
    return f"heliograph-{name.replace('_', '-')}"


_URLS = ("PUBLISHER_URL", *(function_variable(name) for name in FUNCTIONS))
_REQUIRED = ("DATABASE_URL", "GOOGLE_CLOUD_PROJECT", "PUSH_AUDIENCE", "PUSH_SERVICE_ACCOUNT", *_URLS)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalStack:
    """What differs on one machine: a bridge pushes instead of Pub/Sub, and retries are shorter."""

    bridge_url: str
    retry_profile: RetryProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The addresses and identities of a deployment. URLs have no slash at the end.

    ``source`` is the file that they were read from, or None for the environment. ``functions`` maps a function's name
    to its URL, also for the dead-letter function. The emulators' hosts are ``host:port``, or None in the cloud.
    """

    source: Path | None
    database_url: str
    project: str
    publisher_url: str
    push_audience: str
    push_service_account: str
    functions: Mapping[str, str]
    google_certs_url: str
    rules_api_url: str
    functions_api_url: str
    pubsub_emulator: str | None
    firestore_emulator: str | None
    local: LocalStack | None

    @classmethod
    def from_env(cls, environ: Mapping[str, str], source: Path | None = None) -> "Settings":
        """Raises one ``ConfigurationError`` that names all missing variables, or else all with a malformed value.

        Also for a deployment in another profile than google, of which the doctor knows nothing.
        """
        if (profile := environ.get(VARIABLE) or Profile.GOOGLE) != Profile.GOOGLE:
            message = f"The doctor examines the profile google, and {VARIABLE} is {profile}. See docs/self-hosting.md."
            raise ConfigurationError(message)
        if missing := [name for name in _REQUIRED if not environ.get(name)]:
            raise ConfigurationError.missing(missing)
        if malformed := [name for name in _URLS if not environ[name].startswith(("https://", "http://"))]:
            message = f"Set these variables to URLs that start with https:// or http://: {', '.join(malformed)}."
            raise ConfigurationError(message)
        return cls(
            source=source,
            database_url=database_address(environ),
            project=environ["GOOGLE_CLOUD_PROJECT"],
            publisher_url=environ["PUBLISHER_URL"].rstrip("/"),
            push_audience=environ["PUSH_AUDIENCE"],
            push_service_account=environ["PUSH_SERVICE_ACCOUNT"],
            functions={name: environ[function_variable(name)].rstrip("/") for name in FUNCTIONS},
            google_certs_url=environ.get("GOOGLE_CERTS_URL", GOOGLE_CERTS_URL),
            rules_api_url=environ.get("FIREBASE_RULES_URL", "https://firebaserules.googleapis.com"),
            functions_api_url=environ.get("CLOUD_FUNCTIONS_URL", "https://cloudfunctions.googleapis.com"),
            pubsub_emulator=environ.get("PUBSUB_EMULATOR_HOST"),
            firestore_emulator=environ.get("FIRESTORE_EMULATOR_HOST"),
            local=_local(environ),
        )


def _local(environ: Mapping[str, str]) -> LocalStack | None:
    if not is_local(environ):
        return None
    name = environ.get("RETRY_PROFILE", RetryProfile.PRODUCTION.name)
    if name not in RetryProfile.__members__:
        allowed = ", ".join(RetryProfile.__members__)
        raise ConfigurationError(f"RETRY_PROFILE is {name!r}. Set it to one of {allowed}.")
    return LocalStack(bridge_url=environ["PUSH_BRIDGE_URL"], retry_profile=RetryProfile[name])


def is_local(environ: Mapping[str, str]) -> bool:
    """Whether ``environ`` describes the local stack: only the local stack has a push bridge."""
    return bool(environ.get("PUSH_BRIDGE_URL"))


def read_file(path: Path) -> dict[str, str]:
    """The variables in a file of ``NAME=value`` lines. Values are taken literally, quotes too, as containers do.

    Raises ``ConfigurationError``.
    """
    variables = {}
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        form = _LINE.fullmatch(line.strip())
        if form is None:
            raise ConfigurationError(f"Line {number} of {path} is not NAME=value.")
        variables[form["name"]] = form["value"]
    return variables
