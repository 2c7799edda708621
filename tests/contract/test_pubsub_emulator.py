"""The Pub/Sub emulator keeps nothing when it is killed, so the local stack has everything published again.

Google's Pub/Sub keeps what it has confirmed: the google profile has no epoch that could show a loss.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.config import StackConfig
from local.emulators import EmulatorsMissing, Image, find
from local.processes import Child
from local.profiles import google
from local.service import Launch, Program, Service, Task
from publisher_api.connections import Connections, connect
from publisher_api.outbox.sweeper import sweep
from publisher_api.settings import Settings
from shared.topology import RetryProfile, subscriptions
from tests.contract.messages import Consumer
from tests.contract.messaging import PubSub
from tests.publisher.sweeping import accept_pending
from tests.publisher.topic import waiting_for
from transport.port import PublishError

pytestmark = pytest.mark.emulators

(SMS,) = (each for each in subscriptions() if each.name == "notifications-sms")


class Emulator:
    """The emulator of the local stack ``config``, restarted as ``local.stack.Stack`` does."""

    def __init__(self, config: StackConfig, services: dict[str, Service]) -> None:
        self.config = config
        self._services = services
        self._child: Child | None = None

    def start(self) -> None:
        """Start the emulator, and run the tasks that follow each of its starts. No bridge runs."""
        program = self._services["pubsub"]
        assert isinstance(program, Program)
        self._child = program.launch()
        self._child.wait_ready(program.ready, program.seconds)
        for name in program.restarts:
            service = self._services[name]
            if isinstance(service, Task):
                service.run()

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()


@pytest.fixture
def emulator(database_url: str, tmp_path: Path) -> Iterator[Emulator]:
    try:
        installed = find()
    except EmulatorsMissing as missing:
        pytest.skip(f"Google's emulators cannot run here: {', '.join(missing.missing)}.")
    if isinstance(installed, Image):
        pytest.skip("The emulator runs in a container here, which SIGKILL would leave running.")
    config = StackConfig(tmp_path, database_url, retry_profile=RetryProfile.UNIT_TEST)

    def launcher(name: str, command: list[str]) -> Launch:
        return lambda: Child.start(name, command, log=tmp_path / f"{name}.log", env=config.environment(name))

    emulator = Emulator(config, {each.name: each for each in google.services(config, launcher, installed)})
    try:
        emulator.start()
        yield emulator
    finally:
        emulator.kill()


@pytest.fixture
def publisher(emulator: Emulator) -> Iterator[Connections]:
    environ = emulator.config.environment("publisher")
    with closing(connect(Settings.from_env(environ), environ, 2)) as connections:
        connections.pool.open()
        yield connections


def accept(emulator: Emulator) -> None:
    settings = Settings.from_env(emulator.config.environment("publisher"))
    accept_pending(settings, channels=["sms"], to={"sms": "+15005550006"})


def swept(publisher: Connections) -> int:
    return sweep(publisher.pool, publisher.topic, publisher.cache, publisher.shares, lambda: datetime.now(UTC))


def reachable(publisher: Connections) -> bool:
    try:
        publisher.topic.check()
    except PublishError:
        return False
    return True


def test_while_the_emulator_is_away_publishing_fails_and_works_again_afterwards(
    emulator: Emulator, publisher: Connections
) -> None:
    assert reachable(publisher)
    emulator.kill()
    accept(emulator)
    with pytest.raises(PublishError):
        swept(publisher)
    emulator.start()
    waiting_for(lambda: reachable(publisher), "the publisher to reconnect")
    accept(emulator)
    assert swept(publisher) == 1


def test_what_a_killed_emulator_lost_is_published_again(
    emulator: Emulator, publisher: Connections, tmp_path: Path
) -> None:
    for _ in range(3):
        accept(emulator)
    assert swept(publisher) == 3
    emulator.kill()
    emulator.start()
    consumer = Consumer()
    project = emulator.config.emulators.project
    with PubSub(emulator.config.emulators.pubsub_host, project, tmp_path).handling(SMS, consumer):
        assert consumer.gets_nothing_for(1.0), "the emulator has lost what it had"
        waiting_for(lambda: reachable(publisher), "the publisher to reconnect")
        assert swept(publisher) == 3
        found = {consumer.next().attributes["delivery_id"] for _ in range(3)}
    assert len(found) == 3
    assert publisher.epoch() is None
