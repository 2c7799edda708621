"""A deployment to examine: the Pub/Sub emulator, a real Postgres, and one HTTP server for everything that is HTTP."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from google.pubsub_v1 import SubscriberClient
from google.pubsub_v1.types import PushConfig, Subscription

from doctor.examine import examine
from doctor.finding import Finding, Verdict
from doctor.settings import function_variable, service_name
from local import pubsub_setup
from local.emulators import RULES
from shared.topology import FUNCTIONS, OUTCOMES_SUBSCRIPTION, subscriptions

LEDGER_RULES = RULES.with_name("firestore.ledger.rules")
PUSH_ACCOUNT = "heliograph-pubsub-push@shop.iam.gserviceaccount.com"
AUDIENCE = "heliograph-publisher-prod"
REGION = "europe-west1"

RESTORE = (
    "terraform -chdir=terraform output -json release > terraform/release.tfvars.json &&"
    " terraform -chdir=terraform apply -var-file=environments/prod.tfvars -var-file=release.tfvars.json"
)
"""The fix for anything that is missing."""
RESTART_PUBLISHER = (
    'doctl apps create-deployment "$(doctl apps list --format ID,Spec.Name --no-header |'
    """ awk '$2 == "heliograph-prod" {print $1}')" --wait"""
)
"""The fix for a publisher that does not work."""


@dataclass(frozen=True, slots=True)
class StubResponse:
    """A response whose Date header is ``ahead`` of the real time."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)
    ahead: timedelta = timedelta()


@dataclass(slots=True)
class HttpStub:
    """Every HTTP endpoint of a deployment that works, by path. A test replaces the response that it needs to fail."""

    url: str
    project: str
    responses: dict[str, StubResponse] = field(default_factory=dict)

    def __post_init__(self) -> None:
        listed = [self.listed(name) for name in FUNCTIONS]
        self.responses = {
            "/publisher/health": StubResponse(200, {"status": "ok"}),
            "/publisher/health/sweep": StubResponse(200, {"status": "ok"}),
            "/publisher/internal/outcomes": StubResponse(401),
            **{f"/function/{name}": StubResponse(403) for name in FUNCTIONS},
            "/certs": StubResponse(200),
            "/token": StubResponse(200, {"access_token": "granted", "expires_in": 3600, "token_type": "Bearer"}),
            f"/v2/projects/{self.project}/locations/-/functions": StubResponse(200, {"functions": listed}),
        }
        self.release_rules(RULES.read_text())
        self.release_rules(LEDGER_RULES.read_text(), "cloud.firestore/ledger")

    def listed(self, name: str, state: str = "ACTIVE") -> dict[str, Any]:
        """A function in the form of the Cloud Functions API."""
        return {
            "name": f"projects/{self.project}/locations/{REGION}/functions/{service_name(name)}",
            "state": state,
            "serviceConfig": {"uri": f"{self.url}/function/{name}"},
        }

    def list_functions(self, *functions: dict[str, Any]) -> None:
        body = {"functions": list(functions)}
        self.responses[f"/v2/projects/{self.project}/locations/-/functions"] = StubResponse(200, body)

    def release_rules(self, text: str, release: str = "cloud.firestore") -> None:
        ruleset = f"projects/{self.project}/rulesets/{release.replace('/', '-')}"
        files = [{"name": "firestore.rules", "content": text}]
        self.responses[f"/v1/{ruleset}"] = StubResponse(200, {"source": {"files": files}})
        self.responses[f"/v1/projects/{self.project}/releases/{release}"] = StubResponse(200, {"rulesetName": ruleset})


@dataclass(slots=True)
class Deployment:
    """A whole deployment, described as an operator describes it: by variables in a file."""

    http: HttpStub
    subscriber: SubscriberClient
    variables: dict[str, str]
    file: Path

    def examine(self) -> list[Finding]:
        """What the doctor finds now."""
        self.file.write_text("".join(f"{name}={value}\n" for name, value in self.variables.items()))
        return list(examine(self.file, {}))

    def faults(self) -> dict[str, str]:
        """The text and the fix of each check that fails now."""
        return {each.text: each.fix or "" for each in self.examine() if each.verdict is Verdict.FAILED}

    def subscription(self, name: str) -> Subscription:
        return self.subscriber.get_subscription(subscription=self._path(name))

    def delete(self, name: str) -> None:
        self.subscriber.delete_subscription(subscription=self._path(name))

    def replace(self, changed: Subscription) -> None:
        """Delete the subscription of that name and create ``changed``."""
        self.subscriber.delete_subscription(subscription=changed.name)
        self.subscriber.create_subscription(request=changed)

    def push(self, name: str, endpoint: str, audience: str, account: str = PUSH_ACCOUNT) -> None:
        """Set the push endpoint and token of a subscription."""
        token = PushConfig.OidcToken(audience=audience, service_account_email=account)
        self.subscriber.modify_push_config(
            subscription=self._path(name), push_config=PushConfig(push_endpoint=endpoint, oidc_token=token)
        )

    def push_all(self) -> None:
        """Let every subscription push as Terraform declares it."""
        url = self.http.url
        self.push(OUTCOMES_SUBSCRIPTION, f"{url}/publisher/internal/outcomes", AUDIENCE)
        for each in subscriptions():
            if each.target in FUNCTIONS:
                self.push(each.name, f"{url}/function/{each.target}", f"{url}/function/{each.target}")

    def _path(self, name: str) -> str:
        return self.subscriber.subscription_path(self.http.project, name)


@contextmanager
def deployed(pubsub_host: str, project: str, database_url: str, folder: Path) -> Iterator[Deployment]:
    """A deployment without a fault."""
    pubsub_setup.create(pubsub_host, project, subscriptions())
    with http_stub(project) as http, pubsub_setup.clients(pubsub_host) as (_, subscriber):
        variables = {
            "DATABASE_URL": database_url,
            "GOOGLE_CLOUD_PROJECT": project,
            "PUBLISHER_URL": f"{http.url}/publisher",
            "PUSH_AUDIENCE": AUDIENCE,
            "PUSH_SERVICE_ACCOUNT": PUSH_ACCOUNT,
            "GOOGLE_CERTS_URL": f"{http.url}/certs",
            "FIREBASE_RULES_URL": http.url,
            "CLOUD_FUNCTIONS_URL": http.url,
            "PUBSUB_EMULATOR_HOST": pubsub_host,
            **{function_variable(name): f"{http.url}/function/{name}" for name in FUNCTIONS},
        }
        deployment = Deployment(http, subscriber, variables, folder / "prod.env")
        deployment.push_all()
        yield deployment


@contextmanager
def http_stub(project: str) -> Iterator[HttpStub]:
    """An ``HttpStub`` on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    stub = HttpStub(f"http://127.0.0.1:{server.server_port}", project)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            response = stub.responses.get(self.path.partition("?")[0], StubResponse(404))
            content = json.dumps(response.body).encode()
            self.send_response_only(response.status)
            self.send_header("Date", format_datetime(datetime.now(UTC) + response.ahead, usegmt=True))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, *_arguments: object) -> None:
            pass

    server.RequestHandlerClass = Handler
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def write_credentials(file: Path, pem: str, token_url: str) -> None:
    """Write a service account's key file. The Google SDKs then get their tokens from ``token_url``."""
    account = {"type": "service_account", "client_email": PUSH_ACCOUNT, "private_key": pem, "token_uri": token_url}
    file.write_text(json.dumps(account | {"project_id": "shop", "private_key_id": "k1", "client_id": "0"}))
