"""Every place that lists channel types or functions by hand lists exactly those of ``shared/channels.json``.

After an entry is added to ``channels.json``, each test that fails here names a place that lacks it.
"""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import hcl2
import pytest

from local.config import StackConfig
from local.sandbox.control import FaultRequest
from local.sandbox.test_recipients import RECIPIENTS
from shared.channel_types import REGISTRY
from shared.topology import CHANNEL_TYPES, DEAD_LETTER, FUNCTIONS, TOPOLOGY
from tests import factories, test_topology
from tests.providers import test_contract, test_sandbox
from tests.publisher import test_smoke

ROOT = Path(__file__).parents[2]
NOT_FUNCTIONS = {"runtime", "google", "postgres"}
WITHOUT_PROVIDER = {"inapp"}
"""Its messages go to our own inbox and to no provider: the sandbox has no stub for it, and a request no address."""
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def names_in(path: str, pattern: str) -> set[str]:
    """The first group of each match of ``pattern`` in a file."""
    return set(re.findall(pattern, (ROOT / path).read_text(), re.MULTILINE))


def folders_with(file: str) -> set[str]:
    return {path.parent.name for path in (ROOT / "functions").glob(f"*/{file}")} - NOT_FUNCTIONS


def functions_in_contract(name: str, field: str) -> set[str]:
    (contract,) = (each for each in CONTRACTS if each["name"].startswith(name))
    return {module.removeprefix("functions.") for module in contract[field]} - {"runtime"}


def under_a_contract_about_clouds() -> set[str]:
    return functions_in_contract("the functions' runtime and the channel types know no cloud", "source_modules") | (
        functions_in_contract("push meets Google only in its adapter", "source_modules")
    )


def first_channels() -> set[str]:
    """The channels that a migration creates with the name of their type, and with a version since there are versions.

    Without a version the functions would take a channel for a deleted one.
    """
    found: list[tuple[str, str]] = []
    for path in (ROOT / "publisher_api/db/migrations/versions").glob("*.py"):
        columns, version = (", version", r", nextval\('channels_version'\)") if path.name > "0002" else ("", "")
        inserts = re.findall(
            rf"insert into channels \(slug, kind{columns}\)\s+values(.*?)(?:;|\")", path.read_text(), re.DOTALL
        )
        found += re.findall(rf"\('(\w+)', '(\w+)'{version}\)", "".join(inserts))
    return {slug for slug, kind in found if slug == kind}


def keys_in_javascript(constant: str) -> set[str]:
    (content,) = names_in("local/sandbox/page/page.js", rf"^const {constant} = {{(.*)}};$")
    return set(re.findall(r"(?:^|,)\s*(\w+)", content))


def bundle_hashes(path: str, *block: str) -> set[str]:
    parsed = hcl2.loads((ROOT / path).read_text())
    for name in block:
        (parsed,) = parsed[name]
    return {name.strip('"') for name in parsed["bundle_hashes"] if not name.startswith("__")}


def with_credentials_in_the_local_stack() -> set[str]:
    config = StackConfig(ROOT, "")
    return {name for name in CHANNEL_TYPES if set(TOPOLOGY[name].secrets) <= config.environment(name).keys()}


PAGE = "local/sandbox/page"
PLACES_OF_FUNCTIONS: dict[str, Callable[[], set[str]]] = {
    "functions/<name>/__init__.py": lambda: folders_with("__init__.py"),
    "functions/<name>/main.py": lambda: folders_with("main.py"),
    "functions/<name>/requirements.in": lambda: folders_with("requirements.in"),
    "functions/<name>/requirements.txt": lambda: folders_with("requirements.txt"),
    "requirements/self_hosted.in": lambda: names_in(
        "requirements/self_hosted.in", r"^-r \.\./functions/(\w+)/requirements\.in$"
    ),
    "cloudbuild.yaml, steps upload-<name>": lambda: names_in("cloudbuild.yaml", r"\[deploy/upload\.sh, (\w+),"),
    "pyproject.toml, contract of independence": lambda: functions_in_contract("a channel type imports no", "modules"),
    "pyproject.toml, contract of functions.runtime": lambda: functions_in_contract(
        "the functions' runtime imports no channel type", "forbidden_modules"
    ),
    "pyproject.toml, contracts about clouds": under_a_contract_about_clouds,
    "terraform/environments/example.tfvars, bundle_hashes": lambda: bundle_hashes(
        "terraform/environments/example.tfvars"
    ),
    "terraform/root.tftest.hcl, bundle_hashes": lambda: bundle_hashes("terraform/root.tftest.hcl", "variables"),
}
PLACES_OF_CHANNEL_TYPES: dict[str, Callable[[], set[str]]] = {
    "shared/channel_types.py, REGISTRY": lambda: set(REGISTRY),
    "a migration with the first channel": first_channels,
    "ADDING_A_CHANNEL.md": lambda: names_in("ADDING_A_CHANNEL.md", r"`(\w+)`") & {*CHANNEL_TYPES},
    "local/config.py, credentials": with_credentials_in_the_local_stack,
    "local/sandbox/*.py, what adds its arrivals": lambda: {
        name for path in (ROOT / "local/sandbox").glob("*.py") for name in names_in(str(path), r'channel_type="(\w+)"')
    },
    f"{PAGE}/index.html, filters": lambda: names_in(f"{PAGE}/index.html", r'<button [^>]*data-channel-type="(\w+)"'),
    f"{PAGE}/page.js, NAMES": lambda: keys_in_javascript("NAMES"),
    f"{PAGE}/page.js, counts": lambda: keys_in_javascript("counts"),
    f"{PAGE}/page.js, CONTENT_OF": lambda: keys_in_javascript("CONTENT_OF"),
    f"{PAGE}/style.css, colours": lambda: names_in(f"{PAGE}/style.css", r'\[data-channel-type="(\w+)"\]'),
    "tests/factories.py, RECIPIENTS": lambda: set(factories.RECIPIENTS),
    "tests/factories.py, CONTENTS": lambda: set(factories.CONTENTS),
    "tests/test_topology.py, ADAPTERS": lambda: set(test_topology.ADAPTERS),
}
PLACES_OF_PROVIDERS: dict[str, Callable[[], set[str]]] = {
    "local/sandbox/test_recipients.py, RECIPIENTS": lambda: {each.channel_type for each in RECIPIENTS},
    "local/sandbox/control.py, FaultRequest": lambda: set(
        get_args(FaultRequest.model_fields["channel_type"].annotation)
    ),
    "tests/providers/test_contract.py, ADAPTERS": lambda: {each.channel_type for each in test_contract.ADAPTERS},
    "tests/providers/test_sandbox.py, STATUS_OF_TREATMENT": lambda: set(test_sandbox.STATUS_OF_TREATMENT),
    "tests/publisher/test_smoke.py, TO": lambda: set(test_smoke.TO),
}
PLACES = [
    *((place, {*FUNCTIONS}, found) for place, found in PLACES_OF_FUNCTIONS.items()),
    *((place, {*CHANNEL_TYPES}, found) for place, found in PLACES_OF_CHANNEL_TYPES.items()),
    *((place, {*CHANNEL_TYPES} - WITHOUT_PROVIDER, found) for place, found in PLACES_OF_PROVIDERS.items()),
]


@pytest.mark.parametrize(("place", "declared", "found"), PLACES, ids=[place for place, _, _ in PLACES])
def test_place_has_every_declared_name_and_no_other(
    place: str, declared: set[str], found: Callable[[], set[str]]
) -> None:
    names = found()
    assert declared - names == set(), f"missing in {place}"
    assert names - declared == set(), f"in {place}, but not in shared/channels.json"


def test_dead_letter_is_a_function_and_no_channel_type() -> None:
    assert set(FUNCTIONS) - set(CHANNEL_TYPES) == {DEAD_LETTER}
