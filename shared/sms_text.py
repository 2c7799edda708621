"""How a text travels as SMS: its encoding, and the segments that a provider bills. Pure.

The alphabets are those of 3GPP TS 23.038 (GSM 03.38), sections 6.2.1 and 6.2.1.1. The sizes of segments follow from the
140 bytes of a message: part of a longer text begins with a header of 6 bytes.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Each is sent as an escape and a character, which stay in one segment.
_EXTENSION = frozenset("\f^{}\\[~]|€")
_GSM_7 = _BASIC | _EXTENSION
_BEYOND_16_BITS = 0x10000

Encoding = Literal["GSM-7", "UCS-2"]
# How much fits into a text of one segment, and into each segment of a longer one.
_CAPACITY: dict[Encoding, tuple[int, int]] = {"GSM-7": (160, 153), "UCS-2": (70, 67)}


class SmsSize(msgspec.Struct, frozen=True, kw_only=True):
    """``characters`` as the network counts them: some take two places (``€`` in GSM-7, an emoji in UCS-2)."""

    encoding: Encoding
    characters: int
    segments: int


def size_of(text: str) -> SmsSize:
    """The size of ``text`` as SMS. One character that GSM-7 lacks makes the whole text UCS-2."""
    encoding: Encoding = "GSM-7" if _GSM_7.issuperset(text) else "UCS-2"
    places = list(_places(text, encoding))
    return SmsSize(encoding=encoding, characters=sum(places), segments=_segments(places, *_CAPACITY[encoding]))


def utf16_length(text: str) -> int:
    """The characters of ``text`` as SMS providers and chat services count them: an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, characters: int) -> str:
    """The beginning of ``text``, of at most so many characters as ``utf16_length`` counts them."""
    return text.encode("utf-16-le")[: 2 * characters].decode("utf-16-le", "ignore")


def _places(text: str, encoding: Encoding) -> Iterator[int]:
    for character in text:
        if encoding == "GSM-7":
            yield 2 if character in _EXTENSION else 1
        else:
            yield 2 if ord(character) >= _BEYOND_16_BITS else 1


def _segments(places: list[int], single: int, part: int) -> int:
    if sum(places) <= single:
        return 1
    segments, used = 1, 0
    for each in places:
        if used + each > part:
            segments, used = segments + 1, 0
        used += each
    return segments
