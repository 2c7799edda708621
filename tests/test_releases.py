"""Runs deploy/releases.sh against a folder: a ``gcloud`` script of a few lines stands in for the bucket."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "deploy" / "releases.sh"
GCLOUD = """#!/usr/bin/env bash
here() { case $1 in gs://*) echo "$BUCKETS/${1#gs://}" ;; -) echo /dev/stdin ;; *) echo "$1" ;; esac; }
[ -n "${REFUSES:-}" ] && { echo "ERROR: 403" >&2; exit 1; }
if [ "$2" = cat ]; then
  [ -e "$(here "$3")" ] || { echo "ERROR: The following URLs matched no objects or files: $3" >&2; exit 1; }
  exec cat "$(here "$3")"
fi
mkdir -p "$(dirname "$(here "$5")")" && exec cp "$(here "$4")" "$(here "$5")"
"""


class Releases:
    """A checkout with the script, and its buckets as folders."""

    def __init__(self, folder: Path) -> None:
        for name in ("deploy", "terraform", "bin"):
            (folder / name).mkdir()
        shutil.copy(SCRIPT, folder / "deploy")
        (folder / "bin" / "gcloud").write_text(GCLOUD)
        (folder / "bin" / "gcloud").chmod(0o755)
        self._folder = folder
        self.release = folder / "terraform" / "release.tfvars.json"
        self.lock = folder / "terraform" / ".terraform.lock.hcl"

    def run(self, *arguments: str, refuses: bool = False) -> subprocess.CompletedProcess[str]:
        environ = {
            "PATH": f"{self._folder / 'bin'}:{os.environ['PATH']}",
            "BUCKETS": str(self._folder / "buckets"),
            "REFUSES": "yes" if refuses else "",
        }
        command = ["bash", str(self._folder / "deploy" / "releases.sh"), *arguments]
        return subprocess.run(command, env=environ, check=False, capture_output=True, text=True)

    def succeed(self, verb: str, commit: str) -> None:
        done = self.run(verb, "p", commit)
        assert done.returncode == 0, done.stderr

    def deploy(self, commit: str) -> None:
        self.release.write_text(json.dumps({"release": commit}))
        self.lock.write_text(commit)
        self.succeed("keep", commit)
        self.succeed("attempt", commit)
        self.succeed("done", commit)

    def rollback_target(self) -> str:
        return self.run("rollback", "p").stdout.strip()


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    return Releases(tmp_path)


def test_rollback_alternates_between_the_last_two_releases(releases: Releases) -> None:
    releases.deploy("one")
    releases.deploy("two")
    assert releases.rollback_target() == "one"
    assert releases.rollback_target() == "one", "a rollback that was not applied changes nothing"
    releases.succeed("done", "one")
    assert releases.rollback_target() == "two"


def test_deploying_a_release_twice_keeps_the_previous_one(releases: Releases) -> None:
    for commit in ("one", "two", "two"):
        releases.deploy(commit)
    assert releases.rollback_target() == "one"


def test_rollback_after_an_interrupted_apply_goes_to_the_current_release(releases: Releases) -> None:
    releases.deploy("one")
    releases.deploy("two")
    releases.succeed("attempt", "three")
    assert releases.rollback_target() == "two"
    releases.succeed("done", "two")
    assert releases.rollback_target() == "one"


def test_rollback_without_an_earlier_release_fails(releases: Releases) -> None:
    releases.deploy("one")
    done = releases.run("rollback", "p")
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no earlier release in gs://p-heliograph-bundles/releases" in done.stderr


@pytest.mark.parametrize("arguments", [("rollback", "p"), ("present", "p"), ("done", "p", "two")])
def test_unreadable_bucket_is_not_treated_as_empty(releases: Releases, arguments: tuple[str, ...]) -> None:
    releases.deploy("one")
    done = releases.run(*arguments, refuses=True)
    assert (done.returncode, "ERROR: 403" in done.stderr) == (1, True)


def test_fetch_restores_what_keep_uploaded(releases: Releases) -> None:
    releases.deploy("one")
    releases.deploy("two")
    releases.succeed("fetch", "one")
    assert (json.loads(releases.release.read_text()), releases.lock.read_text()) == ({"release": "one"}, "one")


def test_present_release_is_empty_before_the_first(releases: Releases) -> None:
    assert releases.run("present", "p").returncode == 0
    assert json.loads(releases.release.read_text()) == {}
    releases.deploy("one")
    releases.release.unlink()
    releases.run("present", "p")
    assert json.loads(releases.release.read_text()) == {"release": "one"}


@pytest.mark.parametrize("arguments", [(), ("keep", "p"), ("forget", "p", "one")])
def test_wrong_arguments_print_the_usage(releases: Releases, arguments: tuple[str, ...]) -> None:
    done = releases.run(*arguments)
    assert done.returncode != 0
    assert "usage: deploy/releases.sh" in done.stderr
