"""The whole stack, started once per session, and clients of its API, its sandbox and Firestore."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from google.cloud.firestore import Client

from functions.google.services import INBOX_DATABASE, LEDGER_DATABASE
from local.emulators import EmulatorsMissing
from local.stack import Options, Stack
from shared.topology import RetryProfile
from tests.e2e.stack_driver import StackDriver


@pytest.fixture(scope="session")
def stack(server_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The running stack. A test that kills a service restarts it before the test ends."""
    try:
        stack = Stack(Options(server_directory / "stack", retry_profile=RetryProfile.END_TO_END_TEST))
    except EmulatorsMissing as missing:
        pytest.skip(str(missing))
    with stack:
        yield stack
    shutil.copytree(stack.logs, tmp_path_factory.mktemp("stack") / "logs")  # pytest keeps those of the last three runs


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


def administrator(stack: Stack, database: str) -> Client:
    """A client with an administrator's rights, to whom the security rules do not apply."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in stack.config.emulators.environment.items():
            environment.setenv(name, value)
        return Client(project=stack.config.emulators.project, database=database)  # keeps the emulator's address


@pytest.fixture(scope="session")
def firestore(stack: Stack) -> Client:
    """The database of the inboxes."""
    return administrator(stack, INBOX_DATABASE)


@pytest.fixture(scope="session")
def ledger(stack: Stack) -> Client:
    """The database of the ledger and the channel switches."""
    return administrator(stack, LEDGER_DATABASE)


@pytest.fixture
def driver(stack: Stack, api: httpx.Client, sandbox: httpx.Client, firestore: Client, ledger: Client) -> StackDriver:
    return StackDriver(stack, api, sandbox, firestore, ledger)
