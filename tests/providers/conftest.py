from collections.abc import Iterator

import pytest

from local.processes import free_port
from tests.providers.server import ScriptedServer, serving


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A scripted HTTP server in the place of a provider's API."""
    with serving() as script:
        yield script


@pytest.fixture
def nowhere() -> str:
    """An address where nothing listens."""
    return f"127.0.0.1:{free_port()}"
