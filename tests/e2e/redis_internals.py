"""The redis profile behind the API: messages are entries of streams in Valkey."""

from contextlib import closing

from redis import Redis

from tests.e2e.self_hosted_internals import SelfHostedInternals
from transport.redis_layout import CONSUMER, GROUP, shards_of

_MANY = 10_000


class RedisInternals(SelfHostedInternals):
    """Implements ``Internals`` and ``CountsMessages`` of ``tests.e2e.internals``."""

    transport_server = "redis"

    def give_up_messages_of(self, service: str) -> None:
        """Let Redis believe that what was taken was taken longer ago than the deadline. Counts no attempt."""
        with self._client() as client:
            for subscription in self._taken_by(service):
                over = subscription.ack_deadline_seconds * 1000 + 1
                for messages in (shard.messages for shard in shards_of(subscription)):
                    pending = client.xpending_range(messages, GROUP, "-", "+", _MANY)
                    for entry in pending:
                        client.xclaim(messages, GROUP, CONSUMER, 0, [entry["message_id"]], idle=over, justid=True)

    def messages_left(self) -> int:
        shards = [shard for subscription in self._taken_by("worker") for shard in shards_of(subscription)]
        with self._client() as client:
            return sum(client.xlen(shard.messages) + client.zcard(shard.retry) for shard in shards)

    def _client(self) -> closing[Redis]:
        return closing(Redis.from_url(self._stack.config.redis_server.url))
