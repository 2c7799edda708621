"""A webhook goes to an address that was checked, but the certificate must be that of the host's name."""

import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from functions.runtime.provider import Sent
from functions.webhook.http import Http
from shared.envelope import Delivery
from shared.errors import Retryable
from shared.reasons import Reason
from tests.factories import make_delivery
from tests.providers.adapters import SIGNING_SECRET, TIMEOUT_SECONDS
from tests.providers.server import Answer, ScriptedServer, serving

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a certificate for ``localhost`` and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - DAY, now + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + signed.public_bytes(Encoding.PEM))
    return path


@pytest.fixture
def receiver(certificate: Path) -> Iterator[ScriptedServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(context) as script:
        yield script


@pytest.fixture
def webhook(certificate: Path) -> Http:
    return Http(
        {"WEBHOOK_SIGNING_SECRET": SIGNING_SECRET},
        partial(datetime.now, UTC),
        TIMEOUT_SECONDS,
        allow_private=True,
        trusted=ssl.create_default_context(cafile=certificate),
    )


def to(receiver: ScriptedServer, host: str) -> Delivery:
    return make_delivery("webhook", recipient=receiver.url.replace("127.0.0.1", host))


def test_certificate_of_the_hosts_name_is_accepted(webhook: Http, receiver: ScriptedServer) -> None:
    delivery = to(receiver, "localhost")
    assert webhook.send(delivery) == Sent("http", delivery.delivery_id)
    assert len(receiver.asked) == 1


def test_certificate_of_another_name_is_refused_before_anything_is_sent(
    webhook: Http, receiver: ScriptedServer
) -> None:
    with pytest.raises(Retryable) as caught:
        webhook.send(to(receiver, "127.0.0.1"))
    assert (caught.value.reason, caught.value.ambiguous, receiver.asked) == (Reason.UNREACHABLE, False, [])


def test_receiver_that_drips_over_tls_is_cut_off_at_the_deadline(webhook: Http, receiver: ScriptedServer) -> None:
    receiver.answers = [Answer(drip=True)]
    began = time.monotonic()
    with pytest.raises(Retryable) as caught:
        webhook.send(to(receiver, "localhost"))
    assert (caught.value.reason, caught.value.ambiguous) == (Reason.TIMEOUT, True)
    assert time.monotonic() - began < 3 * TIMEOUT_SECONDS
