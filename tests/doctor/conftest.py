from collections.abc import Iterator
from pathlib import Path

import pytest

from local.emulators import Emulators
from tests.doctor.cloud import Deployment, deployed, write_credentials


@pytest.fixture
def deployment(
    emulators: Emulators, project: str, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Deployment]:
    """A deployment without a fault, and an operator who is logged in."""
    with deployed(emulators.pubsub_host, project, postgres_url, tmp_path) as deployment:
        write_credentials(tmp_path / "login.json", f"{deployment.web.url}/token")
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "login.json"))
        yield deployment
