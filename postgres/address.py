"""The address of Postgres, and the certificate authority that its server must be signed by."""

from collections.abc import Mapping
from functools import cache
from tempfile import NamedTemporaryFile
from typing import IO

from psycopg.conninfo import make_conninfo

from shared.errors import ConfigurationError

_BEGIN = "-----BEGIN CERTIFICATE-----"


def database_address(environ: Mapping[str, str]) -> str:
    r"""DATABASE_URL, for libpq. With DATABASE_CA_CERT, the server must prove its name with a certificate of that CA.

    A provider's URL has ``sslmode=require``: it encrypts, and accepts any server. DATABASE_CA_CERT is the CA in PEM;
    its line breaks may be written as ``\n``. Raises ``ConfigurationError``.
    """
    if not environ.get("DATABASE_URL"):
        raise ConfigurationError.missing(["DATABASE_URL"])
    authority = environ.get("DATABASE_CA_CERT", "").replace("\\n", "\n").strip()
    if not authority:
        return environ["DATABASE_URL"]
    if not authority.startswith(_BEGIN):
        message = f"DATABASE_CA_CERT is not a certificate in PEM. It must begin with {_BEGIN}."
        raise ConfigurationError(message)
    return make_conninfo(environ["DATABASE_URL"], sslmode="verify-full", sslrootcert=_file_with(authority).name)


@cache
def _file_with(text: str) -> IO[str]:
    """A file with ``text``, which exists until the process ends: libpq reads certificates from files only."""
    file = NamedTemporaryFile("w", prefix="heliograph-ca-", suffix=".pem")  # noqa: SIM115 - it is closed with the process
    file.write(text + "\n")
    file.flush()
    return file
