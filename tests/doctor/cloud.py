"""A deployment to examine: Pub/Sub's emulator, a real Postgres, and an HTTP server in the place of all that is HTTP."""

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
from doctor.settings import FUNCTIONS, function_variable, service_name
from local import topology
from local.emulators import RULES
from shared.topology import OUTCOMES_SUBSCRIPTION, TOPOLOGY

PUSH_ACCOUNT = "heliograph-pubsub-push@shop.iam.gserviceaccount.com"
AUDIENCE = "heliograph-publisher-prod"
REGION = "europe-west1"

RESTORE = (
    "terraform -chdir=terraform output -json release > terraform/release.tfvars.json &&"
    " terraform -chdir=terraform apply -var-file=environments/prod.tfvars -var-file=release.tfvars.json"
)
"""What an operator is told to do where something is missing."""
RESTART_PUBLISHER = (
    'doctl apps create-deployment "$(doctl apps list --format ID,Spec.Name --no-header |'
    """ awk '$2 == "heliograph-prod" {print $1}')" --wait"""
)
"""And where the publisher does not work."""


@dataclass(frozen=True, slots=True)
class Says:
    """One answer, by a clock that is ``ahead``."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)
    ahead: timedelta = timedelta()


@dataclass(slots=True)
class Web:
    """Everything that speaks HTTP in a deployment; ``answers`` are by path, a test changes the one that it damages."""

    url: str
    project: str
    answers: dict[str, Says] = field(default_factory=dict)

    def __post_init__(self) -> None:
        listed = [self.listed(name) for name in FUNCTIONS]
        self.answers = {
            "/publisher/health": Says(200, {"status": "ok"}),
            "/publisher/health/sweep": Says(200, {"status": "ok"}),
            "/publisher/internal/outcomes": Says(401),
            **{f"/function/{name}": Says(403) for name in FUNCTIONS},
            "/certs": Says(200),
            "/token": Says(200, {"access_token": "granted", "expires_in": 3600, "token_type": "Bearer"}),
            f"/v2/projects/{self.project}/locations/-/functions": Says(200, {"functions": listed}),
            f"/v1/projects/{self.project}/releases/cloud.firestore": Says(
                200, {"rulesetName": f"projects/{self.project}/rulesets/r1"}
            ),
        }
        self.release_rules(RULES.read_text())

    def listed(self, name: str, state: str = "ACTIVE") -> dict[str, Any]:
        """A function as the Cloud Functions API lists it."""
        return {
            "name": f"projects/{self.project}/locations/{REGION}/functions/{service_name(name)}",
            "state": state,
            "serviceConfig": {"uri": f"{self.url}/function/{name}"},
        }

    def list_functions(self, *functions: dict[str, Any]) -> None:
        self.answers[f"/v2/projects/{self.project}/locations/-/functions"] = Says(200, {"functions": list(functions)})

    def release_rules(self, text: str) -> None:
        files = [{"name": "firestore.rules", "content": text}]
        self.answers[f"/v1/projects/{self.project}/rulesets/r1"] = Says(200, {"source": {"files": files}})


@dataclass(slots=True)
class Deployment:
    """A whole deployment in the form that an operator describes: variables in a file."""

    web: Web
    subscriber: SubscriberClient
    variables: dict[str, str]
    file: Path

    def examined(self) -> list[Finding]:
        """What the doctor says of it now."""
        self.file.write_text("".join(f"{name}={value}\n" for name, value in self.variables.items()))
        return list(examine(self.file, {}))

    def faults(self) -> dict[str, str]:
        """What is wrong, and what mends it."""
        return {one.text: one.mend or "" for one in self.examined() if one.verdict is Verdict.WRONG}

    def subscription(self, name: str) -> Subscription:
        return self.subscriber.get_subscription(subscription=self._path(name))

    def delete(self, name: str) -> None:
        self.subscriber.delete_subscription(subscription=self._path(name))

    def replace(self, changed: Subscription) -> None:
        """Put ``changed`` in the place of the subscription of its name."""
        self.subscriber.delete_subscription(subscription=changed.name)
        self.subscriber.create_subscription(request=changed)

    def push(self, name: str, endpoint: str, audience: str, account: str = PUSH_ACCOUNT) -> None:
        token = PushConfig.OidcToken(audience=audience, service_account_email=account)
        self.subscriber.modify_push_config(
            subscription=self._path(name), push_config=PushConfig(push_endpoint=endpoint, oidc_token=token)
        )

    def push_all(self) -> None:
        """As Terraform has it."""
        url = self.web.url
        self.push(OUTCOMES_SUBSCRIPTION, f"{url}/publisher/internal/outcomes", AUDIENCE)
        for kind, channel in TOPOLOGY.items():
            self.push(channel.subscription, f"{url}/function/{kind}", f"{url}/function/{kind}")
            dead = f"{url}/function/dead_letter"
            self.push(channel.dead_letter_subscription, dead, dead)

    def _path(self, name: str) -> str:
        return self.subscriber.subscription_path(self.web.project, name)


@contextmanager
def deployed(pubsub_host: str, project: str, database_url: str, folder: Path) -> Iterator[Deployment]:
    """A deployment without a fault."""
    topology.create(pubsub_host, project)
    with serving(project) as web, topology.clients(pubsub_host) as (_, subscriber):
        variables = {
            "DATABASE_URL": database_url,
            "GOOGLE_CLOUD_PROJECT": project,
            "PUBLISHER_URL": f"{web.url}/publisher",
            "PUSH_AUDIENCE": AUDIENCE,
            "PUSH_SERVICE_ACCOUNT": PUSH_ACCOUNT,
            "GOOGLE_CERTS_URL": f"{web.url}/certs",
            "FIREBASE_RULES_URL": web.url,
            "CLOUD_FUNCTIONS_URL": web.url,
            "PUBSUB_EMULATOR_HOST": pubsub_host,
            **{function_variable(name): f"{web.url}/function/{name}" for name in FUNCTIONS},
        }
        deployment = Deployment(web, subscriber, variables, folder / "prod.env")
        deployment.push_all()
        yield deployment


@contextmanager
def serving(project: str) -> Iterator[Web]:
    """``Web`` on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    web = Web(f"http://127.0.0.1:{server.server_port}", project)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            says = web.answers.get(self.path.partition("?")[0], Says(404))
            content = json.dumps(says.body).encode()
            self.send_response_only(says.status)
            self.send_header("Date", format_datetime(datetime.now(UTC) + says.ahead, usegmt=True))
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
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def write_credentials(file: Path, pem: str, token_url: str) -> None:
    """A service account's key, which opens what ``token_url`` says it opens."""
    account = {"type": "service_account", "client_email": PUSH_ACCOUNT, "private_key": pem, "token_uri": token_url}
    file.write_text(json.dumps(account | {"project_id": "shop", "private_key_id": "k1", "client_id": "0"}))
