"""Releases, and what the publisher is shipped as: an image, or DigitalOcean Functions."""

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
from local.bundle import FUNCTIONS
from shared.errors import ConfigurationError
from shared.topology import CHANNEL_TYPES

ROOT = Path(__file__).parent.parent
DIGEST = "sha256:" + "1" * 64
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    for name in FUNCTIONS:
        (tmp_path / f"{name}.zip").write_bytes(name.encode())
    return tmp_path


def test_a_release_names_every_bundle_and_the_image_by_content(dist: Path) -> None:
    found = release(DIGEST, dist)
    assert found["bundle_hashes"] == {name: hashlib.sha256(name.encode()).hexdigest() for name in FUNCTIONS}
    assert found["publisher_image"]["digest"] == DIGEST


def test_a_release_gives_exactly_variables_that_terraform_has(dist: Path) -> None:
    variables = (ROOT / "terraform/variables.tf").read_text(encoding="utf-8")
    assert set(release(DIGEST, dist)) <= set(re.findall(r'^variable "(\w+)"', variables, re.MULTILINE))


def test_a_release_without_a_bundle_is_none(dist: Path) -> None:
    (dist / "sms.zip").unlink()
    with pytest.raises(FileNotFoundError, match=r"sms\.zip"):
        release(DIGEST, dist)


@pytest.mark.parametrize("digest", ["latest", "sha256:1", "1" * 64])
def test_a_release_by_tag_is_refused(dist: Path, digest: str) -> None:
    with pytest.raises(ValueError, match="image digest"):
        release(digest, dist)


def imports(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` where nothing of ours but the folder's can be imported."""
    return subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, '.')\n{code}"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
        capture_output=True,
        text=True,
    )


def test_the_image_holds_all_that_its_three_commands_import(tmp_path: Path) -> None:
    for source, target in re.findall(r"^COPY (\w+) (\w+)$", DOCKERFILE, re.MULTILINE):
        shutil.copytree(ROOT / source, tmp_path / target)
    done = imports(tmp_path, "import publisher_api.main, publisher_api.sweep, publisher_api.migrate")
    assert done.returncode == 0, done.stderr


def test_the_image_gets_only_what_it_copies() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = set(re.findall(r"^COPY ([^-\s]\S*) ", DOCKERFILE, re.MULTILINE))
    assert "*" in lines
    assert allowed == copied


def test_the_image_runs_as_nobody_in_particular_and_installs_what_is_locked() -> None:
    assert re.search(r"^USER \d+$", DOCKERFILE, re.MULTILINE)
    assert "--require-hashes" in DOCKERFILE
    assert "HEALTHCHECK" in DOCKERFILE


def test_every_function_of_the_project_file_is_built(tmp_path: Path) -> None:
    built = functions.build(tmp_path / "functions")
    project = YAML(typ="safe").load((tmp_path / "functions" / "project.yml").read_text(encoding="utf-8"))
    [package] = project["packages"]
    assert package["name"] == functions.PACKAGE
    assert sorted(each["name"] for each in package["functions"]) == sorted(folder.name for folder in built)


@pytest.mark.parametrize("name", sorted(functions.ENTRY_POINTS))
def test_a_built_function_has_its_entry_point_and_all_it_imports(tmp_path: Path, name: str) -> None:
    functions.build(tmp_path / "functions")
    folder = tmp_path / "functions" / "packages" / functions.PACKAGE / name
    done = imports(folder, "import runpy; print(runpy.run_path('__main__.py')['main'].__name__)")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in {"main", "sweep"}
    assert (folder / "build.sh").stat().st_mode & 0o111


def test_the_outbox_is_swept_every_minute() -> None:
    project = YAML(typ="safe").load((ROOT / "publisher_api/project.yml").read_text(encoding="utf-8"))
    [sweep] = [each for each in project["packages"][0]["functions"] if each["name"] == "sweep"]
    assert [trigger["sourceDetails"]["cron"] for trigger in sweep["triggers"]] == ["* * * * *"]


def test_a_smoke_test_needs_an_address_for_every_channel() -> None:
    environment = {"HELIOGRAPH_URL": "https://h", "HELIOGRAPH_API_KEY": "k", "SMOKE_TO": json.dumps({"email": "a@b.c"})}
    with pytest.raises(ConfigurationError, match="push, sms, webhook"):
        Target.from_env(environment)
    with pytest.raises(ConfigurationError, match="HELIOGRAPH_API_KEY, HELIOGRAPH_URL, SMOKE_TO"):
        Target.from_env({})


def test_what_did_not_arrive_is_told_by_channel() -> None:
    arrived = [{"channel": kind, "status": "sent"} for kind in CHANNEL_TYPES if kind != "sms"]
    assert unsent({"deliveries": arrived}) == ["sms: no delivery was planned"]
    failed = {"channel": "sms", "status": "failed", "reason": "invalid_number"}
    assert unsent({"deliveries": [*arrived, failed]}) == ["sms: failed (invalid_number)"]
    assert unsent({"deliveries": [*arrived, {"channel": "sms", "status": "delivered"}]}) == []
