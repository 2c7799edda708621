"""Divides what is published into batches, for the transports that set no limits of their own."""

from collections.abc import Callable, Iterator, Sequence

from shared.batches import batches
from transport.port import Encoded, M

_MAX_MESSAGES = 500
_MAX_BYTES = 8_000_000


def encoded_batches(messages: Sequence[M], encode: Callable[[M], Encoded]) -> Iterator[list[tuple[M, Encoded]]]:
    """The messages with their encoded form: at most 500 messages, and 8 MB of bodies, in a batch."""
    encoded = ((message, encode(message)) for message in messages)
    return batches(encoded, lambda each: len(each[1].data), max_size=_MAX_BYTES, max_items=_MAX_MESSAGES)
