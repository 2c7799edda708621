"""The configuration of the local stack: addresses, credentials, and the environment of each service."""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from psycopg.conninfo import make_conninfo

from local.emulators import PROJECT, Emulators
from local.processes import free_port
from local.redis_server import RedisServer
from local.tokens import write_key_file
from shared.profile import VARIABLE, Profile
from shared.topology import FUNCTIONS, PUBLISHER, RetryProfile, subscriptions

WORKER_ROLE = "heliograph_worker"
"""The role of Postgres that the migration makes for the worker."""
_SERVICE_ACCOUNT = f"push@{PROJECT}.iam.gserviceaccount.com"


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


@dataclass(frozen=True, slots=True)
class Ports:
    """A port of 127.0.0.1 for every service that listens.

    Ports are chosen before anything starts, so that every service can be given every address.
    """

    publisher: int = field(default_factory=free_port)
    sandbox: int = field(default_factory=free_port)
    bridge: int = field(default_factory=free_port)
    pubsub: int = field(default_factory=free_port)
    firestore: int = field(default_factory=free_port)
    redis: int = field(default_factory=free_port)
    functions: Mapping[str, int] = field(default_factory=lambda: {name: free_port() for name in FUNCTIONS})


@dataclass(frozen=True, slots=True)
class StackConfig:
    """What the services must agree on. ``state`` is the directory for data and logs. ``owns_postgres``: the stack runs
    the server of ``database_url`` itself. ``amqp_url`` is set in the profile rabbitmq.

    ``retry_profile`` shortens the waits of the subscriptions, of the bridge and of deferred deliveries.

    The provider credentials are random, new at each start, and valid only in the sandbox.
    """

    state: Path
    database_url: str
    ports: Ports = field(default_factory=Ports)
    owns_postgres: bool = False
    retry_profile: RetryProfile = RetryProfile.PRODUCTION
    profile: Profile = Profile.GOOGLE
    amqp_url: str = ""
    sendgrid_api_key: str = field(default_factory=lambda: f"SG.{secrets.token_hex(16)}")
    twilio_account_sid: str = field(default_factory=lambda: f"AC{secrets.token_hex(16)}")
    twilio_auth_token: str = field(default_factory=lambda: secrets.token_hex(16))
    inbox_token_secret: str = field(default_factory=lambda: secrets.token_hex(32))
    webhook_signing_secret: str = field(
        default_factory=lambda: f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
    )

    @property
    def publisher_url(self) -> str:
        return _url(self.ports.publisher)

    @property
    def sandbox_url(self) -> str:
        return _url(self.ports.sandbox)

    @property
    def bridge_url(self) -> str:
        return _url(self.ports.bridge)

    def function_url(self, name: str) -> str:
        return _url(self.ports.functions[name])

    @property
    def emulators(self) -> Emulators:
        return Emulators(PROJECT, f"127.0.0.1:{self.ports.pubsub}", f"127.0.0.1:{self.ports.firestore}")

    @property
    def credentials_file(self) -> Path:
        """A service account key file, as Google's SDKs read it. The sandbox exchanges its key for access tokens."""
        return self.state / "service-account.json"

    def environment(self, service: str) -> dict[str, str]:
        """All environment variables of ``service``: those of this process, and its own."""
        match service:
            case "sandbox":
                own = {"PORT": str(self.ports.sandbox), **self._provider_credentials, **self._demo}
            case "push_bridge":
                own = self._bridge | self.emulators.environment
            case "publisher" if self.profile is Profile.GOOGLE:
                own = self._publisher | self._google | self._inbox
            case "publisher":
                own = self._self_hosted(self.database_url) | self._inbox
            case "worker":
                own = self._self_hosted(self.worker_database_url) | self._providers
            case _ if service in FUNCTIONS:
                own = self._function(service) | self._google
            case "pubsub" | "firestore" | "redis":
                own = {}
            case _:
                message = f"Unknown service {service!r}."
                raise ValueError(message)
        return {**os.environ, "NO_PROXY": "127.0.0.1,localhost", "PYTHONUNBUFFERED": "1", **own}

    @property
    def _google(self) -> dict[str, str]:
        return {VARIABLE: self.profile, **self.emulators.environment}

    def _self_hosted(self, database_url: str) -> dict[str, str]:
        transport = {}
        if self.profile is Profile.REDIS:
            transport = {"REDIS_URL": self.redis_server.url}
        elif self.profile is Profile.RABBITMQ:
            transport = {"AMQP_URL": self.amqp_url}
        return {VARIABLE: self.profile, "DATABASE_URL": database_url, **transport}

    @property
    def redis_server(self) -> RedisServer:
        """The server of the redis profile."""
        return RedisServer(self.state / "redis", self.state / "logs" / "redis.log", self.ports.redis)

    @property
    def worker_database_url(self) -> str:
        """``database_url`` with the worker's own role, if the server is ours; it asks for no password."""
        return make_conninfo(self.database_url, user=WORKER_ROLE) if self.owns_postgres else self.database_url

    @property
    def _provider_credentials(self) -> dict[str, str]:
        return {
            "SENDGRID_API_KEY": self.sendgrid_api_key,
            "TWILIO_ACCOUNT_SID": self.twilio_account_sid,
            "TWILIO_AUTH_TOKEN": self.twilio_auth_token,
            "WEBHOOK_SIGNING_SECRET": self.webhook_signing_secret,
        }

    @property
    def _inbox(self) -> dict[str, str]:
        return {"INBOX_TOKEN_SECRET": self.inbox_token_secret, "INBOX_ORIGINS": self.sandbox_url}

    @property
    def api_key_file(self) -> Path:
        """Has the API key of the producer ``local``, when the stack is ready."""
        return self.state / "api-key"

    @property
    def demo_url(self) -> str:
        """A user's inbox beside a form that sends."""
        return f"{self.sandbox_url}/demo"

    @property
    def _demo(self) -> dict[str, str]:
        return {
            "PUBLISHER_URL": self.publisher_url,
            "API_KEY_FILE": str(self.api_key_file),
            **(self._google if self.profile is Profile.GOOGLE else self._self_hosted(self.database_url)),
        }

    @property
    def _bridge(self) -> dict[str, str]:
        targets = {
            subscription.name: self._push_target(subscription.target)
            for subscription in subscriptions()
            if subscription.target is not None
        }
        return {
            "BRIDGE_PORT": str(self.ports.bridge),
            "BRIDGE_SERVICE_ACCOUNT": _SERVICE_ACCOUNT,
            "BRIDGE_KEY_FILE": str(self.credentials_file),
            "BRIDGE_TARGETS": json.dumps(targets),
            "RETRY_PROFILE": self.retry_profile.name,
        }

    def _push_target(self, name: str) -> dict[str, str]:
        """Where messages for ``name`` (the publisher or a function) are pushed to, as the bridge reads it."""
        if name == PUBLISHER:
            return {"url": f"{self.publisher_url}/internal/outcomes", "audience": self.publisher_url}
        return {"url": self.function_url(name), "audience": self.function_url(name)}

    @property
    def _publisher(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.database_url,
            "PUSH_AUDIENCE": self.publisher_url,
            "PUSH_SERVICE_ACCOUNT": _SERVICE_ACCOUNT,
            "GOOGLE_CERTS_URL": f"{self.bridge_url}/certs",
        }

    def _function(self, name: str) -> dict[str, str]:
        return {
            "PORT": str(self.ports.functions[name]),
            "GATE_CERTS_URL": f"{self.bridge_url}/certs",
            "GATE_AUDIENCE": self.function_url(name),
            "GATE_SERVICE_ACCOUNT": _SERVICE_ACCOUNT,
            **self._providers,
        }

    @property
    def _providers(self) -> dict[str, str]:
        """What the functions need to send to the sandbox."""
        return {
            **self._provider_credentials,
            "SENDGRID_URL": self.sandbox_url,
            "EMAIL_FROM": "Heliograph <hello@heliograph.test>",
            "TWILIO_URL": self.sandbox_url,
            "TWILIO_FROM": "+15005550006",
            "FCM_URL": self.sandbox_url,
            "GOOGLE_APPLICATION_CREDENTIALS": str(self.credentials_file),
            "WEBHOOK_ALLOW_PRIVATE_ADDRESSES": "true",
            "RETRY_PROFILE": self.retry_profile.name,
        }

    @property
    def description_file(self) -> Path:
        """The file that `make doctor` reads. It exists while the stack runs."""
        return self.state / "stack.env"

    def write_description_file(self) -> None:
        """Write ``description_file``: every address, and the retry profile of the subscriptions."""
        variables = {
            **self._publisher,
            **self._google,
            "PUBLISHER_URL": self.publisher_url,
            "PUSH_BRIDGE_URL": self.bridge_url,
            "RETRY_PROFILE": self.retry_profile.name,
            **{f"FUNCTION_URL_{name.upper()}": self.function_url(name) for name in FUNCTIONS},
        }
        if self.profile is not Profile.GOOGLE:
            variables = self._self_hosted(self.database_url) | {"PUBLISHER_URL": self.publisher_url}
        self.description_file.touch(mode=0o600)
        self.description_file.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))

    def write_credentials_file(self) -> None:
        """Write ``credentials_file`` with a new key. No Google service accepts the key."""
        write_key_file(self.credentials_file, _SERVICE_ACCOUNT, PROJECT, token_uri=f"{self.sandbox_url}/token")
