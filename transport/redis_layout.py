"""How messages are stored in Redis: keys, fields, and the scripts that move messages between keys.

Each shard of a subscription has three keys. They share a hash tag, so that a cluster keeps them on one node, where a
transaction or a script can use them together:

- ``{notifications-email}:messages``, a stream with the consumer group ``workers``
- ``{notifications-email}:retry``, a sorted set of the messages that wait for their next attempt, scored by its time
- ``{notifications-email}:bodies``, a hash with what these messages hold
"""

import zlib
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from shared.topology import Subscription
from transport.port import Encoded, Received

GROUP = "workers"
# All workers share one consumer: what a consumer held is claimed by age, and a name for each process would stay in
# Redis for ever. Deleting a consumer would lose the messages that it holds.
CONSUMER = "worker"
EPOCH = "heliograph:epoch"
_attributes = msgspec.json.Decoder(dict[str, str])


# Not narrower: the client's library accepts these types, and a dict's types do not vary.
Fields = dict[bytes | bytearray | memoryview | str | int | float, bytes | bytearray | memoryview | str | int | float]
"""What an entry of a stream holds."""


class Shard(NamedTuple):
    """The keys of one shard."""

    messages: str
    retry: str
    bodies: str


def shards_of(subscription: Subscription) -> list[Shard]:
    """The shards of ``subscription``.

    The first has no number, so that the messages of a subscription stay where they are when it gets more shards.

    >>> [shard.messages for shard in shards_of(Subscription(
    ...     name="x", topic="t", target=None, ack_deadline_seconds=60, shards=2))]
    ['{x}:messages', '{x:1}:messages']
    """
    tags = [subscription.name, *(f"{subscription.name}:{number}" for number in range(1, subscription.shards))]
    return [Shard(*(f"{{{tag}}}:{key}" for key in Shard._fields)) for tag in tags]


def shard_for(subscription: Subscription, attributes: Mapping[str, str]) -> Shard:
    """The shard for a message: every publisher chooses the same for the same delivery."""
    return shards_of(subscription)[zlib.crc32(attributes.get("delivery_id", "").encode()) % subscription.shards]


def fields_of(message: Encoded, *, dead_after: int | None = None) -> Fields:
    """The fields of a new entry of a stream. ``AGAIN`` expects ``attempts`` in the first place."""
    fields: Fields = {"attempts": 0, "data": message.data, "attributes": msgspec.json.encode(message.attributes)}
    return fields if dead_after is None else {**fields, "dead_after": dead_after}


def received(entry_id: bytes, fields: Mapping[bytes, bytes], deliveries: int, subscription: str) -> Received:
    """The message of an entry that the group delivered ``deliveries`` times, after the attempts that it carries."""
    dead_after = fields.get(b"dead_after")
    return Received(
        data=fields[b"data"],
        attributes=_attributes.decode(fields[b"attributes"]),
        attempt=int(fields[b"attempts"]) + deliveries,
        id=entry_id.decode(),
        subscription=subscription,
        dead_after=None if dead_after is None else int(dead_after),
    )


AGAIN = """
-- Lets an entry wait for its next attempt. Does nothing if the group delivered it again in the meantime.
-- KEYS: a shard. ARGV: group, entry, its deliveries, attempts so far, milliseconds to wait.
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1)[1]
if not pending or pending[4] ~= tonumber(ARGV[3]) then return 0 end
local entry = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1]
if entry then
    local fields, time = entry[2], redis.call('TIME')
    fields[2] = ARGV[4]
    redis.call('HSET', KEYS[3], ARGV[2], cmsgpack.pack(fields))
    redis.call('ZADD', KEYS[2], time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[5], ARGV[2])
end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
return redis.call('XDEL', KEYS[1], ARGV[2])
"""

RETURN_DUE = """
-- Moves what is due back into the stream. Returns the milliseconds until the next is due; -1 if none waits.
-- KEYS: a shard. ARGV: how many to move at most.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[1])) do
    local body = redis.call('HGET', KEYS[3], id)
    if body then redis.call('XADD', KEYS[1], '*', unpack(cmsgpack.unpack(body))) end
    redis.call('ZREM', KEYS[2], id)
    redis.call('HDEL', KEYS[3], id)
end
local following = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
if #following == 0 then return -1 end
return math.max(0, following[2] - now)
"""

CLAIM_EXPIRED = """
-- Claims what was delivered too long ago: its worker is dead. Returns where to go on, and entries with their counts.
-- KEYS: a shard. ARGV: group, consumer, milliseconds, where to begin, how many at most.
local claimed = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], 'COUNT', ARGV[5])
local entries = {}
for place, entry in ipairs(claimed[2]) do
    local pending = redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1)
    entries[place] = {entry[1], entry[2], pending[1][4]}
end
return {claimed[1], entries}
"""
