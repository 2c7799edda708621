"""Where the parts of the local stack answer, and the environment each is given."""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from local.emulators import PROJECT, Emulators
from local.processes import free_port
from local.pubsub_setup import Patience
from shared.topology import OUTCOMES_SUBSCRIPTION, TOPOLOGY

DEAD_LETTER = "dead_letter"
FUNCTIONS = (*TOPOLOGY, DEAD_LETTER)
_SERVICE_ACCOUNT = f"push@{PROJECT}.iam.gserviceaccount.com"


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


@dataclass(frozen=True, slots=True)
class Ports:
    """One port of 127.0.0.1 for every part that listens. Chosen before anything starts, so that all can know all."""

    publisher: int = field(default_factory=free_port)
    sandbox: int = field(default_factory=free_port)
    bridge: int = field(default_factory=free_port)
    pubsub: int = field(default_factory=free_port)
    firestore: int = field(default_factory=free_port)
    functions: Mapping[str, int] = field(default_factory=lambda: {name: free_port() for name in FUNCTIONS})


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything that the parts must agree on. The credentials are made up at each start, for the sandbox alone."""

    state: Path
    database_url: str
    ports: Ports = field(default_factory=Ports)
    sendgrid_api_key: str = field(default_factory=lambda: f"SG.{secrets.token_hex(16)}")
    twilio_account_sid: str = field(default_factory=lambda: f"AC{secrets.token_hex(16)}")
    twilio_auth_token: str = field(default_factory=lambda: secrets.token_hex(16))
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
        """A service account's key, as Google's SDKs read it; its tokens come from the sandbox."""
        return self.state / "service-account.json"

    def environment(self, part: str) -> dict[str, str]:
        """The variables of ``part``, beside those every process has."""
        match part:
            case "sandbox":
                own = {"PORT": str(self.ports.sandbox), **self._provider_credentials}
            case "push_bridge":
                own = self._bridge | self.emulators.environment
            case "publisher":
                own = self._publisher | self.emulators.environment
            case _ if part in FUNCTIONS:
                own = self._function(part) | self.emulators.environment
            case _:
                own = {}
        return {**os.environ, "NO_PROXY": "127.0.0.1,localhost", "PYTHONUNBUFFERED": "1", **own}

    @property
    def _provider_credentials(self) -> dict[str, str]:
        return {
            "SENDGRID_API_KEY": self.sendgrid_api_key,
            "TWILIO_ACCOUNT_SID": self.twilio_account_sid,
            "TWILIO_AUTH_TOKEN": self.twilio_auth_token,
            "WEBHOOK_SIGNING_SECRET": self.webhook_signing_secret,
        }

    @property
    def _bridge(self) -> dict[str, str]:
        outcomes = {"url": f"{self.publisher_url}/internal/outcomes", "audience": self.publisher_url}
        letters = {"url": self.function_url(DEAD_LETTER), "audience": self.function_url(DEAD_LETTER)}
        targets = {OUTCOMES_SUBSCRIPTION: outcomes}
        for kind, channel in TOPOLOGY.items():
            targets[channel.subscription] = {"url": self.function_url(kind), "audience": self.function_url(kind)}
            targets[channel.dead_letter_subscription] = letters
        return {
            "BRIDGE_PORT": str(self.ports.bridge),
            "BRIDGE_SERVICE_ACCOUNT": _SERVICE_ACCOUNT,
            "BRIDGE_KEY_FILE": str(self.credentials_file),
            "BRIDGE_TARGETS": json.dumps(targets),
        }

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
            **self._provider_credentials,
            "SENDGRID_URL": self.sandbox_url,
            "EMAIL_FROM": "Heliograph <hello@heliograph.test>",
            "TWILIO_URL": self.sandbox_url,
            "TWILIO_FROM": "+15005550006",
            "FCM_URL": self.sandbox_url,
            "GOOGLE_APPLICATION_CREDENTIALS": str(self.credentials_file),
            "WEBHOOK_ALLOW_PRIVATE_ADDRESSES": "true",
        }

    @property
    def description_file(self) -> Path:
        """What `make doctor` reads: there while the stack runs."""
        return self.state / "stack.env"

    def write_description_file(self, patience: Patience) -> None:
        """Say where everything is, and how long Pub/Sub was asked to keep trying."""
        described = {
            **self._publisher,
            **self.emulators.environment,
            "PUBLISHER_URL": self.publisher_url,
            "PUSH_BRIDGE_URL": self.bridge_url,
            "PATIENCE_FACTOR": str(patience.factor),
            "PATIENCE_ATTEMPTS": str(patience.attempts),
            **{f"FUNCTION_URL_{name.upper()}": self.function_url(name) for name in FUNCTIONS},
        }
        self.description_file.touch(mode=0o600)
        self.description_file.write_text("".join(f"{name}={value}\n" for name, value in described.items()))

    def write_credentials_file(self) -> None:
        """Make ``credentials_file``, with a key that opens nothing."""
        key = rsa.generate_private_key(65537, 2048)
        account = {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": secrets.token_hex(8),
            "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            "client_email": _SERVICE_ACCOUNT,
            "client_id": "0",
            "token_uri": f"{self.sandbox_url}/token",
        }
        self.credentials_file.write_text(json.dumps(account))
        self.credentials_file.chmod(0o600)
