from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from local.emulators import Emulators
from tests.doctor.cloud import Deployment, deployed, write_credentials


@pytest.fixture(scope="session")
def operator_key() -> str:
    """A private key in PEM."""
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture
def deployment(
    emulators: Emulators,
    project: str,
    postgres_url: str,
    operator_key: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Deployment]:
    """A deployment without a fault, and Google credentials on this machine."""
    with deployed(emulators.pubsub_host, project, postgres_url, tmp_path) as deployment:
        write_credentials(tmp_path / "login.json", operator_key, f"{deployment.http.url}/token")
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "login.json"))
        yield deployment
