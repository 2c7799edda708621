"""With DATABASE_CA_CERT, nothing talks to a Postgres that cannot prove its name."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from psycopg.conninfo import conninfo_to_dict

from doctor.facts import Database
from doctor.gather.database import read_database
from local import postgres
from tests.publisher.tls_front import tls_front

MIGRATE = "publisher_api.cli.migrate"
KEYS = "publisher_api.cli.keys list"
DATABASE = "certificate"
YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of a test."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def named(cls, name: str) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        return cls(key, signed(name, key, name, key, constraints))

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()


def signed(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuers_key: ec.EllipticCurvePrivateKey, *more: object
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
        key.public_key(),
        x509.random_serial_number(),
        now - YEAR,
        now + YEAR,
    )
    for extension in more:
        builder = builder.add_extension(extension, critical=True)  # type: ignore[arg-type]  # the test's own extensions
    return builder.sign(issuers_key, hashes.SHA256())


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.named("the provider")


@pytest.fixture(scope="module")
def port(postgres_server_url: str, tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[int]:
    """The port of a Postgres on localhost whose certificate names ``localhost``."""
    host = conninfo_to_dict(postgres_server_url).get("host")
    if not host or not str(host).startswith("/"):
        pytest.skip("the Postgres of the tests listens on no Unix socket")
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    certificate = signed("localhost", key, "the provider", authority.key, names)
    (folder / "server.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "server.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with (
        postgres.database(postgres_server_url, DATABASE),
        tls_front(Path(f"{host}/.s.PGSQL.5432"), folder / "server.crt", folder / "server.key") as port,
    ):
        yield port


def run(module: str, port: int, certificate: str | None, host: str = "localhost") -> subprocess.CompletedProcess[str]:
    """Run a command of the publisher with a URL as DigitalOcean gives it."""
    environ = os.environ | {"DATABASE_URL": f"postgresql://postgres@{host}:{port}/{DATABASE}?sslmode=require"}
    environ |= {"DATABASE_CA_CERT": certificate} if certificate is not None else {}
    command = [sys.executable, "-m", *module.split()]
    return subprocess.run(command, env=environ, check=False, capture_output=True, text=True)


@pytest.mark.parametrize("module", [MIGRATE, KEYS])
def test_server_of_the_authority_is_accepted(module: str, port: int, authority: Authority) -> None:
    run(MIGRATE, port, authority.pem)
    for pem in (authority.pem, authority.pem.replace("\n", "\\n")):
        done = run(module, port, pem)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", [MIGRATE, KEYS])
def test_server_of_another_authority_is_refused(module: str, port: int) -> None:
    done = run(module, port, Authority.named("somebody else").pem)
    assert done.returncode != 0
    assert "certificate verify failed" in done.stderr


def test_server_with_another_name_is_refused(port: int, authority: Authority) -> None:
    done = run(MIGRATE, port, authority.pem, host="127.0.0.1")
    assert done.returncode != 0
    assert "does not match host name" in done.stderr


def test_text_that_is_no_certificate_is_refused_by_name(port: int) -> None:
    done = run(KEYS, port, "not a certificate")
    assert done.returncode != 0
    assert "DATABASE_CA_CERT" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("mode", "is_checked"), [("require", False), ("verify-full", True)])
def test_doctor_sees_whether_the_certificate_is_checked(
    port: int, authority: Authority, tmp_path: Path, mode: str, *, is_checked: bool
) -> None:
    (tmp_path / "ca.pem").write_text(authority.pem if is_checked else "")
    url = f"postgresql://postgres@localhost:{port}/{DATABASE}?sslmode={mode}"
    found, _ = read_database(url + (f"&sslrootcert={tmp_path}/ca.pem" if is_checked else ""))
    assert isinstance(found, Database)
    assert found.certificate_checked is is_checked
