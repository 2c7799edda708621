"""The whole stack, started once per session in each profile, and clients of its API and its sandbox."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local.emulators import EmulatorsMissing
from local.rabbitmq_server import RabbitmqMissing
from local.stack import Options, Stack
from shared.profile import Profile
from shared.topology import RetryProfile
from tests.e2e.google_internals import GoogleInternals
from tests.e2e.internals import GOOGLE_AND_POSTGRES, Internals
from tests.e2e.postgres_internals import PostgresInternals
from tests.e2e.rabbitmq_internals import RabbitmqInternals
from tests.e2e.redis_internals import RedisInternals
from tests.e2e.stack_driver import StackDriver


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of each profile together, and last: each profile's stack is then started only once."""
    profiles = [None, *Profile]

    def profile_of(item: pytest.Item) -> int:
        callspec = getattr(item, "callspec", None)
        return profiles.index(callspec.params.get("stack") if callspec else None)

    items.sort(key=profile_of)


@pytest.fixture(scope="session", params=GOOGLE_AND_POSTGRES)
def stack(
    request: pytest.FixtureRequest, server_directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The running stack of each profile. A test that kills a service restarts it before the test ends.

    ``tests.e2e.internals`` has the marks for tests of other profiles.
    """
    profile = Profile(request.param)
    options = Options(
        server_directory / f"stack-{profile}", profile=profile, retry_profile=RetryProfile.END_TO_END_TEST
    )
    try:
        stack = Stack(options)
    except EmulatorsMissing as missing:
        pytest.skip(f"Google's emulators cannot run here: {', '.join(missing.missing)}.")
    except RabbitmqMissing as missing:
        pytest.skip(str(missing))
    with stack:
        yield stack
    # pytest keeps those of the last three runs
    shutil.copytree(stack.logs, tmp_path_factory.mktemp(f"stack-{profile}") / "logs")


@pytest.fixture
def api(stack: Stack) -> Iterator[httpx.Client]:
    """A client of the publisher's API, with an API key."""
    authorization = {"Authorization": f"Bearer {stack.api_key}"}
    with httpx.Client(base_url=stack.config.publisher_url, headers=authorization, timeout=30) as client:
        yield client


@pytest.fixture
def sandbox(stack: Stack) -> Iterator[httpx.Client]:
    """A client of the sandbox, which has no arrivals and faults of other tests."""
    with httpx.Client(base_url=stack.config.sandbox_url, timeout=30) as client:
        client.delete("/arrivals").raise_for_status()
        client.delete("/faults").raise_for_status()
        yield client
        client.delete("/faults").raise_for_status()


@pytest.fixture(scope="session")
def internals(stack: Stack) -> Internals:
    match stack.config.profile:
        case Profile.GOOGLE:
            return GoogleInternals(stack)
        case Profile.POSTGRES:
            return PostgresInternals(stack)
        case Profile.REDIS:
            return RedisInternals(stack)
        case Profile.RABBITMQ:
            return RabbitmqInternals(stack)


@pytest.fixture
def driver(stack: Stack, api: httpx.Client, sandbox: httpx.Client, internals: Internals) -> StackDriver:
    return StackDriver(stack, api, sandbox, internals)


@pytest.fixture
def closed_breakers(driver: StackDriver) -> Iterator[None]:
    """After the test, replaces the functions whose circuit breakers the test opens for 30 s."""
    yield
    driver.kill_and_restart("email", "sms", "push", "webhook")
