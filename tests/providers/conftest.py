from collections.abc import Iterator

import pytest

from tests.providers.server import ScriptedServer, serving


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A scripted HTTP server in the place of a provider's API."""
    with serving() as script:
        yield script
