"""Where the system under examination is, read from an environment or a file of ``NAME=value`` lines."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from publisher_api.settings import GOOGLE_CERTS_URL
from shared.errors import ConfigurationError
from shared.topology import CHANNEL_TYPES

DEAD_LETTER = "dead_letter"
FUNCTIONS = (*CHANNEL_TYPES, DEAD_LETTER)
_LINE = re.compile(r"(?P<name>[A-Z][A-Z0-9_]*)=(?P<value>.*)")


def function_variable(name: str) -> str:
    """The variable that holds the address of the function ``name``."""
    return f"FUNCTION_URL_{name.upper()}"


def service_name(name: str) -> str:
    """What Google Cloud calls the function ``name``, and the Cloud Run service behind it."""
    return f"heliograph-{name.replace('_', '-')}"


_ADDRESSES = ("PUBLISHER_URL", *(function_variable(name) for name in FUNCTIONS))
_REQUIRED = ("DATABASE_URL", "GOOGLE_CLOUD_PROJECT", "PUSH_AUDIENCE", "PUSH_SERVICE_ACCOUNT", *_ADDRESSES)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalStack:
    """What differs on one machine: a bridge pushes in Pub/Sub's stead, and patience is shortened.

    ``patience`` is the factor on every backoff, ``attempts`` the cap on every channel's attempts.
    """

    bridge_url: str
    patience: float
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A deployment's addresses and identities; URLs are without a slash at the end.

    ``source`` is the file they were read from, or None for the process's own environment. ``functions`` holds an
    address by name, the dead-letter function's too. The emulators' hosts are ``host:port``, where there are any.
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
        """Raises one ``ConfigurationError`` with all that are missing, or else all that are malformed."""
        if missing := [name for name in _REQUIRED if not environ.get(name)]:
            raise ConfigurationError.missing(missing)
        if malformed := [name for name in _ADDRESSES if not environ[name].startswith(("https://", "http://"))]:
            raise ConfigurationError(f"These must be addresses (https://…): {', '.join(malformed)}.")
        return cls(
            source=source,
            database_url=environ["DATABASE_URL"],
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
    return LocalStack(
        bridge_url=environ["PUSH_BRIDGE_URL"],
        patience=float(environ.get("PATIENCE_FACTOR", "1")),
        attempts=int(environ.get("PATIENCE_ATTEMPTS", "100")),
    )


def is_local(environ: Mapping[str, str]) -> bool:
    """Whether ``environ`` describes the stack of one machine: only that has a bridge."""
    return bool(environ.get("PUSH_BRIDGE_URL"))


def read_file(path: Path) -> dict[str, str]:
    """The variables of a file: ``NAME=value``, each value as it stands, without quotes (as containers read such files).

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
