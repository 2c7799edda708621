"""What a channel type of ``shared/channels.json`` declares is what its function, adapters and bundle need.

``tests/unit/test_channel_type_places.py`` checks the places that list the channel types.
"""

import ast
import json
import sys
from datetime import timedelta
from importlib import metadata
from pathlib import Path

import msgspec
import pytest

from deploy import bundle
from functions.email.sendgrid import SendGrid
from functions.email.smtp import Smtp
from functions.google.calls import LONGEST_CALL_SECONDS
from functions.google.ledger import CALLS_OF_A_CLAIM
from functions.inapp.inbox import InboxProvider
from functions.push.fcm import Fcm
from functions.runtime.limits import WAITS_FOR_A_PLACE_SECONDS
from functions.runtime.provider import Adapter
from functions.sms.twilio import Twilio
from functions.webhook.http import Http
from shared.backoff import backoff
from shared.topology import CHANNEL_TYPES, FUNCTIONS, TOPOLOGY, ChannelTopology, RetryProfile

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "functions"

ADAPTERS: dict[str, list[type[Adapter]]] = {
    "email": [SendGrid, Smtp],
    "inapp": [],  # the inbox is a port and no adapter
    "push": [Fcm],
    "sms": [Twilio],
    "webhook": [Http],
}
NO_SECRETS = {"EMAIL_FROM", "TWILIO_FROM"}
"""The variables that adapters require and that are no secrets."""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_entry_point_of_every_function_has_its_name(name: str) -> None:
    module = ast.parse((FOLDER / name / "main.py").read_text())
    entry_points = [node for node in module.body if isinstance(node, ast.FunctionDef)]
    assert [node.name for node in entry_points] == [name], "the framework needs a `def`, and deployments use its name"
    assert [ast.unparse(each) for each in entry_points[0].decorator_list] == ["functions_framework.http"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_locked_requirements(name: str) -> None:
    locked = (FOLDER / name / "requirements.txt").read_text()
    assert "functions-framework==" in locked


@pytest.mark.parametrize("channel_type", CHANNEL_TYPES)
def test_every_channel_type_has_a_provider_with_a_test(channel_type: str) -> None:
    sources = {path.stem: path.read_text() for path in (FOLDER / channel_type).glob("*.py")}
    adapters = [name for name, text in sources.items() if "def send(self, delivery: Delivery)" in text]
    assert adapters, f"functions/{channel_type} has no provider"
    tests = "".join(
        path.read_text() for folder in ("providers", "contract") for path in (ROOT / "tests" / folder).glob("*.py")
    )
    assert [name for name in adapters if f"from functions.{channel_type}.{name} import" not in tests] == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_bundle_imports_only_what_its_requirements_install(name: str) -> None:
    installed_by = metadata.packages_distributions()
    locked = {
        _canonical(line.partition("==")[0]) for line in (FOLDER / name / "requirements.txt").read_text().splitlines()
    }
    missing = set()
    for path, source in bundle.contents(name).items():
        for module in _imported(source) if path.endswith(".py") else ():
            top = module.partition(".")[0]
            if top in sys.stdlib_module_names or top in ("functions", "postgres", "shared", "transport"):
                continue
            if not {_canonical(each) for each in installed_by[top]} & locked:
                missing.add(module)
    assert missing == set()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_bundle_contains_every_module_of_ours_that_it_imports(name: str) -> None:
    contents = bundle.contents(name)
    imported = {
        path for contained, source in contents.items() if contained.endswith(".py") for path in _own_modules(source)
    }
    assert {"functions/wiring.py", "transport/pubsub.py"} <= imported
    assert imported - contents.keys() == set()


def _own_modules(source: bytes) -> set[str]:
    """The files of ours that ``source`` imports, also by ``from package import module``."""
    names = set(_imported(source))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    paths = {f"{name.replace('.', '/')}{end}" for name in names for end in (".py", "/__init__.py")}
    return {path for path in paths if (ROOT / path).exists()}


def _imported(source: bytes) -> set[str]:
    tree = ast.walk(ast.parse(source))
    found: set[str] = set()
    for node in tree:
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module=str(module)):
                found.add(module)
    return found


def _canonical(distribution: str) -> str:
    return distribution.strip().lower().replace("_", "-").partition("[")[0]


@pytest.mark.parametrize("channel_type", CHANNEL_TYPES)
def test_channel_type_declares_its_providers_in_the_order_of_its_function(channel_type: str) -> None:
    names = [adapter.name for adapter in ADAPTERS[channel_type]] or [InboxProvider.name]
    assert list(TOPOLOGY[channel_type].providers) == names


@pytest.mark.parametrize("channel_type", CHANNEL_TYPES)
def test_channel_type_declares_the_secrets_that_its_adapters_require(channel_type: str) -> None:
    required = {name for adapter in ADAPTERS[channel_type] for name in adapter.required}
    assert set(TOPOLOGY[channel_type].secrets) == required - NO_SECRETS


def test_schema_and_code_have_the_same_fields() -> None:
    schema = json.loads((ROOT / "shared" / "channels.schema.json").read_bytes())["$defs"]["channel"]
    fields = [field for field in msgspec.structs.fields(ChannelTopology) if field.name != "channel_type"]
    assert set(schema["properties"]) == {field.name for field in fields}
    assert set(schema["required"]) == {field.name for field in fields if field.required}


@pytest.mark.parametrize("channel_type", TOPOLOGY.values(), ids=CHANNEL_TYPES)
def test_claim_outlives_everything_that_happens_until_the_outcome_is_recorded(channel_type: ChannelTopology) -> None:
    # The lease runs from the moment at which the function got the message: before the claim and the switches. If it
    # ended before the outcome is recorded, another worker could claim the delivery and send it again.
    switches, record = 1, 1
    stores = (CALLS_OF_A_CLAIM + switches + record) * LONGEST_CALL_SECONDS
    adapters = ADAPTERS[channel_type.channel_type]
    sends = sum(adapter.longest_send_seconds for adapter in adapters) if adapters else LONGEST_CALL_SECONDS
    waits = WAITS_FOR_A_PLACE_SECONDS * len(adapters)
    assert stores + waits + sends < channel_type.lease_seconds


@pytest.mark.parametrize("profile", [RetryProfile.PRODUCTION, RetryProfile.DEMO])
@pytest.mark.parametrize("channel_type", TOPOLOGY.values(), ids=CHANNEL_TYPES)
def test_attempts_outlast_the_claim_of_a_dead_worker(channel_type: ChannelTopology, profile: RetryProfile) -> None:
    # RabbitMQ delivers what a dead worker had taken at once. Every attempt finds the claim held until the lease ends,
    # and if the attempts were used up by then, the delivery would be dead although no provider failed.
    shortest, longest = (timedelta(seconds=seconds) for seconds in profile.backoff(channel_type.backoff_seconds))
    after_the_first = range(1, profile.attempts_of(channel_type.attempts))
    waits = (backoff(shortest, longest, failures, lambda: 0.0) for failures in after_the_first)
    assert sum(waits, timedelta()) > timedelta(seconds=channel_type.lease_seconds)
