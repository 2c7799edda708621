"""Checks releases, the publisher's image, its layout for DigitalOcean Functions, and the smoke test."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from deploy import functions
from deploy.release import release
from deploy.smoke import Target, unsent
from local.services import PUBLISHER_OPTIONS
from publisher_api.templates import preloading
from shared.errors import ConfigurationError
from shared.topology import CHANNEL_TYPES, FUNCTIONS

ROOT = Path(__file__).parent.parent
DIGEST = "sha256:" + "1" * 64
COMMANDS = (
    "import publisher_api.main, publisher_api.cli.apply, publisher_api.cli.keys, publisher_api.cli.migrate,"
    " publisher_api.cli.sweep"
)
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    for name in FUNCTIONS:
        (tmp_path / f"{name}.zip").write_bytes(name.encode())
    return tmp_path


def test_release_has_the_hash_of_every_bundle_and_of_the_image(dist: Path) -> None:
    found = release(DIGEST, dist)
    assert found["bundle_hashes"] == {name: hashlib.sha256(name.encode()).hexdigest() for name in FUNCTIONS}
    assert found["publisher_image"]["digest"] == DIGEST


def test_release_sets_only_declared_terraform_variables(dist: Path) -> None:
    variables = (ROOT / "terraform/variables.tf").read_text(encoding="utf-8")
    assert set(release(DIGEST, dist)) <= set(re.findall(r'^variable "(\w+)"', variables, re.MULTILINE))


def test_missing_bundle_is_refused(dist: Path) -> None:
    (dist / "sms.zip").unlink()
    with pytest.raises(FileNotFoundError, match=r"sms\.zip"):
        release(DIGEST, dist)


@pytest.mark.parametrize("digest", ["latest", "sha256:1", "1" * 64])
def test_image_without_a_digest_is_refused(dist: Path, digest: str) -> None:
    with pytest.raises(ValueError, match="image digest"):
        release(digest, dist)


def run_isolated(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a process that can import our code from ``folder`` only."""
    return subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, '.')\n{code}"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
        capture_output=True,
        text=True,
    )


def test_image_has_everything_its_commands_import(tmp_path: Path) -> None:
    for source, target in re.findall(r"^COPY (\w+) (\w+)$", DOCKERFILE, re.MULTILINE):
        shutil.copytree(ROOT / source, tmp_path / target)
    done = run_isolated(tmp_path, COMMANDS)
    assert done.returncode == 0, done.stderr
    preloaded = "from publisher_api.templates.preloading import read; print(*(each.name for each in read()))"
    done = run_isolated(tmp_path, preloaded)
    assert done.stdout.split() == [each.name for each in preloading.read()], done.stderr


def test_docker_context_has_only_what_the_images_copy() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    files = (DOCKERFILE, (ROOT / "deploy" / "self_hosted.Dockerfile").read_text(encoding="utf-8"))
    copied = set(re.findall(r"^COPY ([^-\s]\S*) ", "\n".join(files), re.MULTILINE))
    assert "*" in lines
    assert allowed == copied


def test_image_runs_as_a_plain_user_and_installs_locked_requirements() -> None:
    assert re.search(r"^USER \d+$", DOCKERFILE, re.MULTILINE)
    assert "--require-hashes" in DOCKERFILE
    [checked] = re.findall(r"^HEALTHCHECK .*\n.*\}(/[a-z/]*)'", DOCKERFILE, re.MULTILINE)
    assert checked == "/health/ready", "a container that is replaced repairs no other service"


PUBLISHERS = [
    ROOT / "Dockerfile",
    *sorted((ROOT / "deploy").glob("*.Dockerfile")),
    *(ROOT / "deploy").rglob("*publisher.service"),
]


@pytest.mark.parametrize("path", PUBLISHERS, ids=lambda path: path.name)
def test_publisher_is_started_with_the_same_options_everywhere(path: Path) -> None:
    [command] = re.findall(r"uvicorn publisher_api\.main:app .*", path.read_text(encoding="utf-8"))
    assert " ".join(PUBLISHER_OPTIONS) in command


def test_every_function_of_the_project_file_is_written(tmp_path: Path) -> None:
    built = functions.build(tmp_path / "functions")
    project = YAML(typ="safe").load((tmp_path / "functions" / "project.yml").read_text(encoding="utf-8"))
    [package] = project["packages"]
    assert package["name"] == functions.PACKAGE
    assert sorted(each["name"] for each in package["functions"]) == sorted(folder.name for folder in built)


def test_every_entry_point_is_tested_below() -> None:
    assert set(functions.ENTRY_POINTS) == {"api", "sweep"}


@pytest.mark.parametrize(("name", "entry_point"), [("api", "main"), ("sweep", "sweep")])
def test_written_function_has_everything_its_entry_point_imports(tmp_path: Path, name: str, entry_point: str) -> None:
    functions.build(tmp_path / "functions")
    folder = tmp_path / "functions" / "packages" / functions.PACKAGE / name
    done = run_isolated(folder, "import runpy; print(runpy.run_path('__main__.py')['main'].__name__)")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == entry_point
    assert (folder / "build.sh").stat().st_mode & 0o111


def test_digitalocean_functions_sweep_every_minute() -> None:
    project = YAML(typ="safe").load((ROOT / "publisher_api/project.yml").read_text(encoding="utf-8"))
    [sweep] = [each for each in project["packages"][0]["functions"] if each["name"] == "sweep"]
    assert [trigger["sourceDetails"]["cron"] for trigger in sweep["triggers"]] == ["* * * * *"]


def test_smoke_test_needs_an_address_for_every_channel() -> None:
    environment = {"HELIOGRAPH_URL": "https://h", "HELIOGRAPH_API_KEY": "k", "SMOKE_TO": json.dumps({"email": "a@b.c"})}
    with pytest.raises(ConfigurationError, match="push, sms, webhook"):
        Target.from_env(environment)
    with pytest.raises(ConfigurationError, match="HELIOGRAPH_API_KEY, HELIOGRAPH_URL, SMOKE_TO"):
        Target.from_env({})


def test_smoke_test_lists_unsent_deliveries_by_channel() -> None:
    sent = [{"channel": name, "status": "sent"} for name in CHANNEL_TYPES if name != "sms"]
    assert unsent({"deliveries": sent}) == ["sms: no delivery was planned"]
    failed = {"channel": "sms", "status": "failed", "reason": "invalid_number"}
    assert unsent({"deliveries": [*sent, failed]}) == ["sms: failed (invalid_number)"]
    assert unsent({"deliveries": [*sent, {"channel": "sms", "status": "delivered"}]}) == []
