"""Checks the files of a self-hosted installation: units of systemd, the compose file, App Platform, environments."""

import ast
import configparser
import re
import shlex
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from shared.profile import VARIABLE, Profile
from shared.topology import FUNCTIONS

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
GUIDE = (ROOT / "docs" / "self-hosting.md").read_text(encoding="utf-8")
INSTALLED = "/opt/heliograph/"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
EXAMPLES = {path.name.partition(".")[0]: path for path in (DEPLOY / "environment").glob("*.env.example")}
COMPOSE: dict[str, Any] = YAML(typ="safe").load(DEPLOY / "compose.yaml")
APP: dict[str, Any] = YAML(typ="safe").load(DEPLOY / "app-platform.yaml")
COMPONENTS = {each["name"]: each for kind in ("jobs", "services", "workers") for each in APP[kind]}
OUR_IMAGE = {name: each for name, each in COMPOSE["services"].items() if each["image"] == "heliograph"}

READ_BY_LIBRARIES = {"GOOGLE_APPLICATION_CREDENTIALS"}
READ_BY_THE_UNIT = {"WORKER_FUNCTIONS"}
OF_PROFILES = {"REDIS_URL": Profile.REDIS, "REDIS_ACCEPTS_LOSS": Profile.REDIS, "AMQP_URL": Profile.RABBITMQ}


def constants(package: str) -> set[str]:
    """Every text in the code of ``package`` that can be the name of a variable."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / package).rglob("*.py"))
    texts = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return {text for text in texts if isinstance(text, str) and re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+", text)}


def read_by_the_code() -> set[str]:
    """The variables that our code reads. Leaves out those of a profile whose transport this release does not have."""
    read = {
        name
        for package in ("shared", "postgres", "transport", "functions", "publisher_api")
        for name in constants(package)
    }
    transports = (ROOT / "transport" / "connect.py").read_text(encoding="utf-8")
    missing = {name for name, profile in OF_PROFILES.items() if f"Profile.{profile.name}" not in transports}
    return read | missing | READ_BY_LIBRARIES | READ_BY_THE_UNIT


def variables_of(path: Path) -> dict[str, str]:
    """The variables of an environment file, also of the lines that are commented out."""
    lines = re.findall(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) == len(dict(lines))
    return dict(lines)


def table_of_settings() -> dict[str, set[str]]:
    """The variables in the table of the page, by process."""
    found: dict[str, set[str]] = {}
    for names, processes in re.findall(r"^\| (`[A-Z][^|]*) \| ([a-z][^|]*) \|", GUIDE, re.MULTILINE):
        for process in re.findall(r"publisher|worker|migration", processes):
            found.setdefault(process, set()).update(re.findall(r"`(\w+)`", names))
    return found


def test_page_lists_only_variables_that_are_read() -> None:
    named = set().union(*table_of_settings().values())
    assert {VARIABLE, "DATABASE_URL", "TWILIO_FROM", "AMQP_URL"} <= named
    assert named - read_by_the_code() == set()


@pytest.mark.parametrize("process", ["publisher", "worker"])
def test_example_of_an_environment_has_the_variables_of_the_page(process: str) -> None:
    assert variables_of(EXAMPLES[process]).keys() == table_of_settings()[process]


def test_migration_needs_no_variable_that_the_publisher_has_not() -> None:
    assert table_of_settings()["migration"] <= table_of_settings()["publisher"]


def test_functions_in_the_example_are_known() -> None:
    hosted = variables_of(EXAMPLES["worker"])["WORKER_FUNCTIONS"].split()
    assert set(hosted) <= {*FUNCTIONS}
    assert "dead_letter" in hosted, "without it a delivery whose attempts are used up is never reported"


def unit(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the keys of systemd are in mixed case
    parser.read_string(path.read_text(encoding="utf-8"))
    return parser


def test_there_is_a_unit_for_each_process() -> None:
    assert [path.stem for path in UNITS] == ["heliograph-migrate", "heliograph-publisher", "heliograph-worker"]


def started(command: str) -> str:
    """The module that ``command`` runs with ``python -m``; it exists."""
    words = shlex.split(command)
    module = words[words.index("-m") + 1]
    if module == "uvicorn":
        module = words[words.index("uvicorn") + 1].partition(":")[0]
    assert find_spec(module) is not None, module
    return module


MODULES = {"publisher": "publisher_api.main", "worker": "functions.worker", "migrate": "publisher_api.cli.migrate"}


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_unit_starts_an_existing_module_with_its_own_settings(path: Path) -> None:
    service = unit(path)["Service"]
    process = path.stem.removeprefix("heliograph-")
    assert service["ExecStart"].startswith(f"{INSTALLED}.venv/bin/python ")
    assert started(service["ExecStart"]) == MODULES[process]
    settings = Path(service["EnvironmentFile"])
    assert settings.parent == Path("/etc/heliograph")
    assert settings.stem in EXAMPLES
    assert settings.stem == ("worker" if process == "worker" else "publisher")


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_unit_is_hardened(path: Path) -> None:
    service = unit(path)["Service"]
    expected = {
        "User": "heliograph", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes",
        "PrivateTmp": "yes", "PrivateDevices": "yes", "CapabilityBoundingSet": "", "RestrictSUIDSGID": "yes",
        "SystemCallFilter": "@system-service", "UMask": "0077",
    }  # fmt: skip
    assert {name: service.get(name) for name in expected} == expected


def test_systemd_waits_for_the_worker_and_for_the_migration() -> None:
    types = {path.stem.removeprefix("heliograph-"): unit(path)["Service"]["Type"] for path in UNITS}
    assert types == {"migrate": "oneshot", "publisher": "exec", "worker": "notify"}


def test_worker_gets_time_to_finish_what_it_has_begun() -> None:
    service = unit(DEPLOY / "systemd" / "heliograph-worker.service")["Service"]
    assert int(service["TimeoutStopSec"]) == 90
    assert COMPOSE["services"]["worker"]["stop_grace_period"] == "90s"
    assert COMPONENTS["worker"]["termination"]["grace_period_seconds"] == 90


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_systemd_understands_the_unit(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    text = path.read_text(encoding="utf-8").replace(f"{INSTALLED}.venv/bin/python", "/bin/true")
    copy.write_text(text.replace("/etc/heliograph", str(tmp_path)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copy],  # noqa: S607 - found like any administrator's
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def command_of(service: dict[str, Any]) -> str:
    """The command of a container: the image's own, unless it has another one."""
    command = service.get("command") or service.get("run_command")
    if command is None:
        [command] = re.findall(r'^CMD \["sh", "-c", "(.*)"\]$', DOCKERFILE, re.MULTILINE)
    return " ".join(command) if isinstance(command, list) else command


DOCKERFILE = (DEPLOY / "self_hosted.Dockerfile").read_text(encoding="utf-8")
RUNS = [*OUR_IMAGE.items(), *COMPONENTS.items()]


@pytest.mark.parametrize(("name", "service"), RUNS, ids=[name for name, _ in RUNS])
def test_container_starts_an_existing_module(name: str, service: dict[str, Any]) -> None:
    words = command_of(service).split()
    module = started(" ".join(words[words.index("python") :]).replace("'", ""))
    assert module == MODULES[name]


def test_compose_file_builds_an_existing_image() -> None:
    assert OUR_IMAGE.keys() == MODULES.keys()
    for service in OUR_IMAGE.values():
        assert (DEPLOY / service["build"]["context"]).resolve() == ROOT
        assert (ROOT / service["build"]["dockerfile"]).is_file()
        assert service["cap_drop"] == ["ALL"]


def test_compose_file_names_only_variables_that_are_read() -> None:
    named = {name for service in OUR_IMAGE.values() for name in service["environment"]}
    callers = {name for name in table_of_settings()["publisher"] if re.match("INBOX_|FIREBASE_|PRODUCER_JWT_", name)}
    assert named == {VARIABLE, "DATABASE_URL", *callers}
    assert COMPOSE["services"]["worker"]["env_file"] == "worker.env"


def test_compose_file_needs_the_variables_that_the_page_makes() -> None:
    compose, [made] = (DEPLOY / "compose.yaml").read_text(), re.findall(r"printf '(.*)' .* > deploy/\.env", GUIDE)
    needed, used = (set(re.findall(rf"\$\{{(\w+):[{sign}]\}}", compose)) for sign in ("?", "?-"))
    assert needed <= set(re.findall(r"([A-Z_]+)=%s", made)) <= used


def test_compose_file_starts_processes_after_the_migration_and_the_worker_after_its_role() -> None:
    after = {name: set(each.get("depends_on", {})) for name, each in COMPOSE["services"].items()}
    assert after == {
        "postgres": set(), "migrate": {"postgres"}, "worker-role": {"migrate"}, "publisher": {"migrate"},
        "worker": {"worker-role"},
    }  # fmt: skip
    once = {"migrate", "worker-role"}
    assert {name for name, each in COMPOSE["services"].items() if "restart" not in each} == once
    conditions = {
        name: each["condition"]
        for service in COMPOSE["services"].values()
        for name, each in service.get("depends_on", {}).items()
    }
    assert {conditions[name] for name in once} == {"service_completed_successfully"}


def test_app_platform_builds_an_existing_image() -> None:
    assert {each["dockerfile_path"] for each in COMPONENTS.values()} == {"deploy/self_hosted.Dockerfile"}
    assert COMPONENTS["migrate"]["kind"] == "PRE_DEPLOY"
    assert COMPONENTS["publisher"]["health_check"]["http_path"] == "/health/ready"


def test_app_platform_names_only_variables_that_are_read() -> None:
    named = {each["key"] for component in (APP, *COMPONENTS.values()) for each in component["envs"]}
    assert named - read_by_the_code() == set()


def test_app_platform_has_every_variable_that_the_hosted_functions_need() -> None:
    worker = COMPONENTS["worker"]
    hosted = worker["run_command"].partition("functions.worker ")[2].split()
    assert set(hosted) == {*FUNCTIONS} - {"push"}
    own = {each["key"] for each in (*APP["envs"], *worker["envs"])}
    optional = {"SMTP_URL", "WEBHOOK_ALLOW_PRIVATE_ADDRESSES", "WORKER_FUNCTIONS", *OF_PROFILES}
    push = {"GOOGLE_APPLICATION_CREDENTIALS", "FCM_PROJECT"}
    assert table_of_settings()["worker"] - optional - push == own


def test_app_platform_keeps_credentials_secret() -> None:
    secrets = re.compile(r"SECRET|TOKEN|API_KEY|ACCOUNT_SID")
    plain = {
        each["key"] for component in COMPONENTS.values() for each in component["envs"] if each.get("type") != "SECRET"
    }
    assert {name for name in plain if secrets.search(name)} == set()
    assert {each["value"] for each in COMPONENTS["publisher"]["envs"] if each["key"] == "DATABASE_URL"} == {
        "${db.DATABASE_URL}"
    }
