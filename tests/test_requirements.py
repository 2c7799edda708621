"""The locked requirements: what each installation gets, for every Python and system."""

import re
import tomllib
from pathlib import Path

import pytest

from deploy import check_wheels
from deploy.check_wheels import Target, faults, pins

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ROOT / "requirements"
ADDED_IN_GOOGLE_CLOUD = "functions/google/requirements.in"


def lock(path: str) -> dict[str, str]:
    return pins((ROOT / path).read_text(encoding="utf-8"))


LOCKS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("requirements/*.txt"), *ROOT.glob("functions/*/requirements.txt")]
)


def asked_for(path: Path) -> set[str]:
    """The packages that a ``.in`` file names, also by the files that it includes."""
    found = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        wanted = line.partition("#")[0].strip()
        if wanted.startswith("-r "):
            found |= asked_for(path.parent / wanted.removeprefix("-r "))
        elif wanted:
            found.add(wanted.partition("[")[0])
    return found


@pytest.mark.parametrize("path", LOCKS)
def test_lock_has_every_package_that_is_asked_for(path: str) -> None:
    asked = asked_for((ROOT / path).with_suffix(".in"))
    if path.startswith("functions/"):
        asked |= asked_for(ROOT / ADDED_IN_GOOGLE_CLOUD)
    assert asked
    assert asked - lock(path).keys() == set()


@pytest.mark.parametrize("path", [path for path in LOCKS if path != "requirements/uv.txt"])
def test_every_lock_has_the_pins_of_the_tests(path: str) -> None:
    tested = lock("requirements/dev.txt")
    assert {
        name: line for name, line in lock(path).items() if line.partition(" ")[0] != tested[name].partition(" ")[0]
    } == {}


def test_self_hosted_installation_gets_from_google_only_what_firebase_admin_brings() -> None:
    own = asked_for(REQUIREMENTS / "self_hosted.in")
    assert {name for name in own if name.startswith(("google", "grpc"))} == set()
    assert "google-cloud-pubsub" not in lock("requirements/self_hosted.txt")


def test_self_hosted_installation_gets_every_transport() -> None:
    assert {"psycopg", "redis", "hiredis", "aio-pika"} <= lock("requirements/self_hosted.txt").keys()


def test_publisher_in_the_google_profile_gets_no_other_transport() -> None:
    assert {"redis", "hiredis", "aio-pika", "firebase-admin"} & lock("requirements/publisher.txt").keys() == set()


def test_no_newer_python_is_excluded() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=3.11"
    newest = re.search(r"^PYTHONS := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert [name.removeprefix("python") for name in reversed(newest[1].split())] == list(check_wheels.PYTHONS)


def test_missing_wheel_is_reported_for_each_python_and_system() -> None:
    locked = {"rich": "rich==1", "grpc": "grpc==2"}

    def installable(requirements: object, target: Target) -> bool:
        return not ("grpc==2" in str(requirements) and target == Target("3.14", "aarch64-apple-darwin"))

    assert faults(locked, installable) == ["grpc==2 has no wheel for Python 3.14 on aarch64-apple-darwin."]


def test_known_exception_that_is_over_is_reported() -> None:
    (found, *_) = faults({"cryptography": "cryptography==50"}, lambda _requirements, _target: True)
    assert found == "cryptography==50 has a wheel for Python 3.11 on x86_64-apple-darwin: remove it from KNOWN."
