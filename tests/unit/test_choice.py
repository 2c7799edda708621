"""Which profile `make demo` and `make up` run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.choice import choose
from shared.errors import ConfigurationError
from shared.profile import Profile


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """An environment of a machine without the Google Cloud SDK, Java and Docker."""
    return {"PATH": str(tmp_path)}


def run(module: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run ``module`` on a machine with this environment. Raises nothing when it fails."""
    command = [sys.executable, "-m", module]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_without_the_sdk_it_is_postgres_and_the_reason_says_what_is_missing(bare: dict[str, str]) -> None:
    profile, reason = choose(bare)
    assert profile is Profile.POSTGRES
    assert "Java (`java`) is not installed" in reason
    assert "the Google Cloud SDK (`gcloud`) is not installed" in reason
    assert "PROFILE=google" in reason


def test_with_the_sdk_and_java_it_is_google(tmp_path: Path) -> None:
    for program in ("bin/java", "bin/gcloud"):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / program).touch(mode=0o755)
    for jar in (
        "platform/pubsub-emulator/lib/cloud-pubsub-emulator-1-all.jar",
        "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar",
    ):
        (tmp_path / jar).parent.mkdir(parents=True)
        (tmp_path / jar).touch()
    profile, reason = choose({"PATH": str(tmp_path / "bin")})
    assert profile is Profile.GOOGLE
    assert "PROFILE=postgres" in reason


@pytest.mark.parametrize("name", list(Profile))
def test_a_profile_that_is_named_is_run_whatever_is_installed(bare: dict[str, str], name: Profile) -> None:
    profile, reason = choose(bare | {"PROFILE": name})
    assert (profile, reason) == (name, f"PROFILE={name.value} asks for it")


def test_an_unknown_profile_is_refused_with_the_known_ones(bare: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"'nonsense'.*google, postgres, redis, rabbitmq"):
        choose(bare | {"PROFILE": "nonsense"})


@pytest.mark.parametrize("module", ["local.up", "local.demo"])
def test_google_without_the_sdk_prints_what_to_install_and_exits_with_1(
    tmp_path: Path, bare: dict[str, str], module: str
) -> None:
    done = run(module, bare | {"PROFILE": "google", "HELIOGRAPH_STATE": str(tmp_path / "state")})
    assert done.returncode == 1
    assert "apt-get install default-jre-headless" in done.stdout
    assert "google-cloud-cli-pubsub-emulator google-cloud-cli-firestore-emulator" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("module", ["local.up", "local.demo"])
def test_an_unknown_profile_exits_with_2(module: str) -> None:
    done = run(module, os.environ | {"PROFILE": "nonsense"})
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.strip() == "PROFILE is 'nonsense'. Its values are: google, postgres, redis, rabbitmq."
