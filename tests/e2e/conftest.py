"""The whole stack, started once a session, and clients for its two faces."""

from collections.abc import Iterator

import httpx
import pytest
from google.cloud.firestore import Client

from local.emulators import EmulatorsMissing
from local.pubsub_setup import IMPATIENT
from local.stack import Options, Stack
from tests.e2e.stack_driver import Journey


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything, running. A test that kills a part restarts it before it ends."""
    try:
        whole = Stack(Options(tmp_path_factory.mktemp("stack"), patience=IMPATIENT))
    except EmulatorsMissing as missing:
        pytest.skip(str(missing))
    with whole:
        yield whole


@pytest.fixture
def api(stack: Stack) -> Iterator[httpx.Client]:
    """The publisher's API, with a key."""
    authorization = {"Authorization": f"Bearer {stack.api_key}"}
    with httpx.Client(base_url=stack.layout.publisher_url, headers=authorization, timeout=30) as client:
        yield client


@pytest.fixture
def sandbox(stack: Stack) -> Iterator[httpx.Client]:
    """The sandbox, without arrivals and faults of other tests."""
    with httpx.Client(base_url=stack.layout.sandbox_url, timeout=30) as client:
        client.delete("/arrivals").raise_for_status()
        client.delete("/faults").raise_for_status()
        yield client
        client.delete("/faults").raise_for_status()


@pytest.fixture(scope="session")
def firestore(stack: Stack) -> Client:
    """Firestore as an administrator sees it: the rules do not count."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in stack.layout.emulators.environment.items():
            environment.setenv(name, value)
        return Client(project=stack.layout.emulators.project)  # remembers where the emulator is


@pytest.fixture
def journey(stack: Stack, api: httpx.Client, sandbox: httpx.Client, firestore: Client) -> Journey:
    return Journey(stack, api, sandbox, firestore)
