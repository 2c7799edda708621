"""The book of releases, kept in a folder here: a ``gcloud`` of a few lines stands for the bucket."""

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


class Book:
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

    def say(self, verb: str, commit: str) -> None:
        done = self.run(verb, "p", commit)
        assert done.returncode == 0, done.stderr

    def deploy(self, commit: str) -> None:
        self.release.write_text(json.dumps({"release": commit}))
        self.lock.write_text(commit)
        self.say("keep", commit)
        self.say("attempt", commit)
        self.say("done", commit)

    def goes_back_to(self) -> str:
        return self.run("rollback", "p").stdout.strip()


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


def test_a_rollback_goes_to_the_release_before_and_the_next_one_comes_back(book: Book) -> None:
    book.deploy("one")
    book.deploy("two")
    assert book.goes_back_to() == "one"
    assert book.goes_back_to() == "one", "a rollback that did not go through changes nothing"
    book.say("done", "one")
    assert book.goes_back_to() == "two"


def test_to_deploy_the_same_release_again_forgets_nothing(book: Book) -> None:
    for commit in ("one", "two", "two"):
        book.deploy(commit)
    assert book.goes_back_to() == "one"


def test_after_an_apply_that_broke_off_a_rollback_goes_to_what_it_began_to_replace(book: Book) -> None:
    book.deploy("one")
    book.deploy("two")
    book.say("attempt", "three")
    assert book.goes_back_to() == "two"
    book.say("done", "two")
    assert book.goes_back_to() == "one"


def test_without_an_earlier_release_a_rollback_says_so(book: Book) -> None:
    book.deploy("one")
    done = book.run("rollback", "p")
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no earlier release in gs://p-heliograph-bundles/releases" in done.stderr


@pytest.mark.parametrize("arguments", [("rollback", "p"), ("present", "p"), ("done", "p", "two")])
def test_a_book_that_cannot_be_read_is_not_an_empty_one(book: Book, arguments: tuple[str, ...]) -> None:
    book.deploy("one")
    done = book.run(*arguments, refuses=True)
    assert (done.returncode, "ERROR: 403" in done.stderr) == (1, True)


def test_what_was_kept_is_fetched(book: Book) -> None:
    book.deploy("one")
    book.deploy("two")
    book.say("fetch", "one")
    assert (json.loads(book.release.read_text()), book.lock.read_text()) == ({"release": "one"}, "one")


def test_the_present_release_is_nothing_before_the_first(book: Book) -> None:
    assert book.run("present", "p").returncode == 0
    assert json.loads(book.release.read_text()) == {}
    book.deploy("one")
    book.release.unlink()
    book.run("present", "p")
    assert json.loads(book.release.read_text()) == {"release": "one"}


@pytest.mark.parametrize("arguments", [(), ("keep", "p"), ("forget", "p", "one")])
def test_a_wrong_call_is_told_the_right_one(book: Book, arguments: tuple[str, ...]) -> None:
    done = book.run(*arguments)
    assert done.returncode != 0
    assert "usage: deploy/releases.sh" in done.stderr
