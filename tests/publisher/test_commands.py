"""A command that its function gave up is published again, because no function confirms that it carried one out."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from publisher_api.outbox.commands import add_command
from shared.envelope import VERSION, Command
from tests.publisher.sweeping import Sweeping

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def user_id(sweeping: Sweeping) -> str:
    """A user whose read_all is in the outbox."""
    user_id = f"u-{uuid.uuid4().hex}"
    command = Command(v=VERSION, command="read_all", at=NOW, user_id=user_id)
    with sweeping.pool.connection() as connection:
        add_command(connection, str(uuid.uuid4()), command, NOW)
    return user_id


def test_a_command_is_published_again_after_the_attempts_of_a_function_are_over(
    sweeping: Sweeping, user_id: str
) -> None:
    step = timedelta(hours=1)
    published = [number * step for number in range(24 * 10) if sweeping.at(NOW + number * step)]
    assert published == [timedelta(), timedelta(hours=6), timedelta(hours=54)]
    commands = sweeping.published.commands(user_id, 3)
    assert len(commands) == 3
    assert commands.count(commands[0]) == 3
    assert sweeping.sql("select from commands union all select from command_repeats") == []
