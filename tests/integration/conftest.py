import pytest

from local.processes import free_port


@pytest.fixture
def nowhere() -> str:
    """An address on which nothing listens."""
    return f"127.0.0.1:{free_port()}"
