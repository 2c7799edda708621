"""Runs Google's Pub/Sub and Firestore emulators as child processes.

They are part of the Google Cloud SDK and need Java. Where the SDK or Java is missing and Docker runs, Google's
container image is used.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.processes import Child, answers, free_port

PROJECT = "heliograph-local"
RULES = Path(__file__).parents[1] / "firestore.rules"
_IMAGE = "gcr.io/google.com/cloudsdktool/google-cloud-cli:emulators"
_PUBSUB_JAR = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"
_FIRESTORE_JAR = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
_FIRESTORE_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
_READY_SECONDS = 30.0
_READY_SECONDS_CONTAINER = 300.0  # the image may have to be pulled

_HOW_TO_INSTALL = """\
The Pub/Sub and Firestore emulators cannot run on this machine: {missing}.
Install what is missing, or start Docker, and try again. On Debian or Ubuntu, with Google's apt repository set up
(https://cloud.google.com/sdk/docs/install#deb):
  sudo apt-get install default-jre-headless
  sudo apt-get install google-cloud-cli google-cloud-cli-pubsub-emulator google-cloud-cli-firestore-emulator
On other systems, with Java 11 or newer and the SDK's installer (https://cloud.google.com/sdk/docs/install):
  gcloud components install beta pubsub-emulator cloud-firestore-emulator"""


class EmulatorsMissing(Exception):
    """There is neither an SDK with Java nor a running Docker. The message says what to install."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__(_HOW_TO_INSTALL.format(missing=", ".join(missing)))
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Emulators:
    """The emulators' addresses, as ``host:port``."""

    project: str
    pubsub_host: str
    firestore_host: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which Google's SDKs use the emulators."""
        return {
            "GOOGLE_CLOUD_PROJECT": self.project,
            "PUBSUB_EMULATOR_HOST": self.pubsub_host,
            "FIRESTORE_EMULATOR_HOST": self.firestore_host,
        }


@dataclass(frozen=True, slots=True)
class Jars:
    """The emulators of an installed SDK, and the Java program that runs them."""

    java: str
    pubsub: Path
    firestore: Path

    def pubsub_command(self, port: int) -> list[str]:
        options = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx512m"]
        return [self.java, *options, "-jar", str(self.pubsub), "--host=127.0.0.1", f"--port={port}"]

    def firestore_command(self, port: int) -> list[str]:
        options = ["-Duser.language=en", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        where = ["--host=127.0.0.1", f"--port={port}", *([f"--rules={RULES}"] if RULES.exists() else [])]
        return [self.java, *options, "-cp", str(self.firestore), _FIRESTORE_MAIN, *where]


@dataclass(frozen=True, slots=True)
class Image:
    """The emulators in Google's container image; ``engine`` is the path of ``docker``."""

    engine: str

    def _run(self, port: int, *options: str) -> list[str]:
        return [self.engine, "run", "--rm", "--init", "-p", f"127.0.0.1:{port}:{port}", *options, _IMAGE, "gcloud"]

    def pubsub_command(self, port: int) -> list[str]:
        return [*self._run(port), "beta", "emulators", "pubsub", "start", f"--host-port=0.0.0.0:{port}"]

    def firestore_command(self, port: int) -> list[str]:
        mount, rules = (
            (["-v", f"{RULES}:/firestore.rules:ro"], ["--rules=/firestore.rules"]) if RULES.exists() else ([], [])
        )
        return [*self._run(port, *mount), "emulators", "firestore", "start", f"--host-port=0.0.0.0:{port}", *rules]


def find(environ: Mapping[str, str] = os.environ) -> Jars | Image:
    """The emulators that this machine can run. Raises ``EmulatorsMissing``."""
    path = environ.get("PATH", "")
    java = shutil.which("java", path=path)
    gcloud = shutil.which("gcloud", path=path)
    sdk = environ.get("CLOUDSDK_ROOT_DIR") or (gcloud and str(Path(gcloud).resolve().parents[1]))
    pubsub, firestore = (_newest(sdk, _PUBSUB_JAR), _newest(sdk, _FIRESTORE_JAR)) if sdk else (None, None)
    if java and pubsub and firestore:
        return Jars(java, pubsub, firestore)
    engine = shutil.which("docker", path=path)
    if engine and _is_running(engine):
        return Image(engine)
    missing = [
        *([] if java else ["Java (`java`) is not installed"]),
        *([] if sdk else ["the Google Cloud SDK (`gcloud`) is not installed"]),
        *(["the SDK has no Pub/Sub emulator"] if sdk and not pubsub else []),
        *(["the SDK has no Firestore emulator"] if sdk and not firestore else []),
    ]
    raise EmulatorsMissing(missing)


@dataclass(frozen=True, slots=True)
class RunningEmulators:
    """The two processes, and the addresses that they serve once they are ready."""

    address: Emulators
    pubsub: Child
    firestore: Child
    ready_seconds: float

    def wait_ready(self) -> None:
        """Wait until both are ready. Raises ``StartFailed``."""
        self.pubsub.wait_ready(lambda: answers(f"http://{self.address.pubsub_host}"), self.ready_seconds)
        self.firestore.wait_ready(lambda: answers(f"http://{self.address.firestore_host}"), self.ready_seconds)

    def stop(self) -> None:
        self.pubsub.ask_to_stop()
        self.firestore.ask_to_stop()
        self.pubsub.stop()
        self.firestore.stop()


def start(logs: Path, project: str = PROJECT) -> RunningEmulators:
    """Start both on free ports, without waiting until they are ready. Raises ``EmulatorsMissing``."""
    installed = find()
    pubsub_port, firestore_port = free_port(), free_port()
    return RunningEmulators(
        Emulators(project, f"127.0.0.1:{pubsub_port}", f"127.0.0.1:{firestore_port}"),
        Child.start("pubsub", installed.pubsub_command(pubsub_port), log=logs / "pubsub.log"),
        Child.start("firestore", installed.firestore_command(firestore_port), log=logs / "firestore.log"),
        _READY_SECONDS if isinstance(installed, Jars) else _READY_SECONDS_CONTAINER,
    )


def _newest(sdk: str, pattern: str) -> Path | None:
    return max(Path(sdk).glob(pattern), default=None)


def _is_running(engine: str) -> bool:
    try:
        return subprocess.run([engine, "info"], capture_output=True, timeout=10, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False
