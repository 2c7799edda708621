"""Everything that must exist for a channel of ``shared/channels.json`` exists, and nothing speaks of another."""

import ast
import json
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import msgspec
import pytest

from functions.email.sendgrid import SendGrid
from functions.email.smtp import Smtp
from functions.inapp.inbox import Inbox
from functions.push.fcm import Fcm
from functions.runtime.provider import Adapter
from functions.sms.twilio import Twilio
from functions.webhook.http import Http
from local import bundle, topology
from publisher_api.recipients import CHECK_OF_KIND
from shared.channel_types import REGISTRY
from shared.topology import CHANNEL_TYPES, NOTIFICATIONS_TOPIC, TOPOLOGY

ROOT = Path(__file__).parents[1]
FUNCTIONS = ROOT / "functions"
NOT_CHANNELS = {"runtime", "dead_letter"}
EVERY_FUNCTION = (*CHANNEL_TYPES, "dead_letter")

ADAPTERS: dict[str, list[type[Adapter]]] = {
    "email": [SendGrid, Smtp],
    "inapp": [],  # Firestore needs no secret
    "push": [Fcm],
    "sms": [Twilio],
    "webhook": [Http],
}
NO_SECRETS = {"EMAIL_FROM", "TWILIO_FROM"}
"""What adapters need of the environment and anybody may read."""


def test_the_folders_of_functions_are_the_declared_channels() -> None:
    folders = {path.name for path in FUNCTIONS.iterdir() if (path / "__init__.py").exists()}
    assert folders - NOT_CHANNELS == set(CHANNEL_TYPES)


@pytest.mark.parametrize("name", EVERY_FUNCTION)
def test_every_function_has_an_entry_point_named_after_it(name: str) -> None:
    module = ast.parse((FUNCTIONS / name / "main.py").read_text())
    entry_points = [node for node in module.body if isinstance(node, ast.FunctionDef)]
    assert [node.name for node in entry_points] == [name], "the framework takes a real `def`, and deployments name it"
    assert [ast.unparse(each) for each in entry_points[0].decorator_list] == ["functions_framework.http"]


def test_the_publisher_knows_what_an_address_of_each_kind_looks_like() -> None:
    assert set(CHECK_OF_KIND) == set(CHANNEL_TYPES)


@pytest.mark.parametrize("name", EVERY_FUNCTION)
def test_every_function_has_locked_requirements(name: str) -> None:
    locked = (FUNCTIONS / name / "requirements.txt").read_text()
    assert "functions-framework==" in locked
    assert (FUNCTIONS / name / "requirements.in").exists()


@pytest.mark.parametrize("kind", CHANNEL_TYPES)
def test_every_channel_has_a_provider_with_a_test(kind: str) -> None:
    sources = {path.stem: path.read_text() for path in (FUNCTIONS / kind).glob("*.py")}
    adapters = [name for name, text in sources.items() if "def send(self, delivery: Delivery)" in text]
    assert adapters, f"functions/{kind} has no provider"
    tests = "".join(
        path.read_text() for folder in ("providers", "integration") for path in (ROOT / "tests" / folder).glob("*.py")
    )
    assert [name for name in adapters if f"from functions.{kind}.{name} import" not in tests] == []


@pytest.mark.parametrize("kind", CHANNEL_TYPES)
def test_every_channel_has_its_subscription_and_another_for_what_it_gives_up_on(kind: str) -> None:
    channel = TOPOLOGY[kind]
    made = {subscription.name: subscription for subscription in topology.subscriptions()}
    assert made[channel.subscription].topic == NOTIFICATIONS_TOPIC
    assert made[channel.subscription].filter == f'attributes.channel = "{kind}"'
    assert made[channel.subscription].dead_letter_topic == channel.dead_letter_topic
    assert made[channel.dead_letter_subscription].topic == channel.dead_letter_topic
    assert channel.dead_letter_topic in topology.topics()


@pytest.mark.parametrize("kind", CHANNEL_TYPES)
def test_every_channel_is_documented(kind: str) -> None:
    page = (ROOT / "ADDING_A_CHANNEL.md").read_text()
    assert f"`{kind}`" in page


@pytest.mark.parametrize("name", bundle.FUNCTIONS)
def test_a_bundle_imports_only_what_its_requirements_install(name: str) -> None:
    installed_by = metadata.packages_distributions()
    locked = {
        _canonical(line.partition("==")[0]) for line in (FUNCTIONS / name / "requirements.txt").read_text().splitlines()
    }
    missing = set()
    for path, source in bundle.contents(name).items():
        for module in _imported(source) if path.endswith(".py") else ():
            top = module.partition(".")[0]
            if top in sys.stdlib_module_names or top in ("functions", "shared"):
                continue
            if not {_canonical(each) for each in installed_by[top]} & locked:
                missing.add(module)
    assert missing == set()


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


def test_every_kind_has_the_shape_of_its_content() -> None:
    assert set(REGISTRY) == set(CHANNEL_TYPES)


def test_every_function_is_bundled() -> None:
    assert set(bundle.FUNCTIONS) == set(EVERY_FUNCTION)


@pytest.mark.parametrize("kind", CHANNEL_TYPES)
def test_a_channel_declares_its_providers_in_the_order_in_which_its_function_asks_them(kind: str) -> None:
    names = [adapter.name for adapter in ADAPTERS[kind]] or [Inbox.name]
    assert list(TOPOLOGY[kind].providers) == names


@pytest.mark.parametrize("kind", CHANNEL_TYPES)
def test_a_channel_declares_the_secrets_that_its_adapters_need(kind: str) -> None:
    needed = {name for adapter in ADAPTERS[kind] for name in adapter.required}
    assert set(TOPOLOGY[kind].secrets) == needed - NO_SECRETS


def test_the_schema_and_the_code_know_the_same_fields() -> None:
    schema = json.loads((ROOT / "shared" / "channels.schema.json").read_bytes())["$defs"]["channel"]
    declared = {field.name for field in msgspec.structs.fields(next(iter(TOPOLOGY.values())))} - {"kind"}
    assert set(schema["properties"]) == set(schema["required"]) == declared


def test_no_channel_may_import_another() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (independent,) = (each for each in contracts if each["type"] == "independence")
    assert set(independent["modules"]) == {f"functions.{name}" for name in EVERY_FUNCTION}
