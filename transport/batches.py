"""Divides messages into batches that are published in one call."""

from collections.abc import Callable, Iterator, Sequence

from transport.port import Encoded, M


def batches(
    messages: Sequence[M], encode: Callable[[M], Encoded], max_messages: int, max_bytes: int
) -> Iterator[list[tuple[M, Encoded]]]:
    """Batches of up to ``max_messages`` messages with up to ``max_bytes`` of bodies. A larger message travels alone."""
    batch: list[tuple[M, Encoded]] = []
    size = 0
    for message in messages:
        encoded = encode(message)
        weight = len(encoded.data)
        if batch and (len(batch) == max_messages or size + weight > max_bytes):
            yield batch
            batch, size = [], 0
        batch.append((message, encoded))
        size += weight
    if batch:
        yield batch
