"""SMS: encodings and segments, against the vectors of Twilio's message-segment-calculator and of 3GPP TS 23.038."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sms_text import SmsSize, cut, size_of, utf16_length

DIGITS = "1234567890" * 40
ITALY, RAINBOW = "\U0001f1ee\U0001f1f9", "\U0001f3f3\ufe0f\u200d\U0001f308"


@pytest.mark.parametrize(
    ("text", "encoding", "characters", "segments"),
    [
        ("", "GSM-7", 0, 1),
        (DIGITS[:160], "GSM-7", 160, 1),
        (DIGITS[:161], "GSM-7", 161, 2),
        (DIGITS[:306], "GSM-7", 306, 2),
        (DIGITS[:307], "GSM-7", 307, 3),
        ("\U0001f61c" + DIGITS[1:69], "UCS-2", 70, 1),
        ("\U0001f61c" + DIGITS[1:70], "UCS-2", 71, 2),
        ("\U0001f61c" + DIGITS[1:134], "UCS-2", 135, 3),
        (ITALY + DIGITS[1:67], "UCS-2", 70, 1),
        (ITALY + DIGITS[1:68], "UCS-2", 71, 2),
        (RAINBOW + DIGITS[:64], "UCS-2", 70, 1),
        (RAINBOW + DIGITS[:65], "UCS-2", 71, 2),
        ("é à ü Ω ¿", "GSM-7", 9, 1),
        ("ç", "UCS-2", 1, 1),
        ("\u2019", "UCS-2", 1, 1),
    ],
)
def test_a_text_has_the_segments_that_a_provider_bills(
    text: str, encoding: str, characters: int, segments: int
) -> None:
    found = size_of(text)
    assert (found.encoding, found.characters, found.segments) == (encoding, characters, segments)


@pytest.mark.parametrize("escaped", ["|", "^", "€", "{", "}", "[", "]", "~", "\\", "\f"])
def test_a_character_of_the_extension_table_counts_twice(escaped: str) -> None:
    assert size_of(escaped + DIGITS[:158]) == SmsSize(encoding="GSM-7", characters=160, segments=1)
    assert size_of(escaped + DIGITS[:159]) == SmsSize(encoding="GSM-7", characters=161, segments=2)


def test_an_escaped_character_is_not_split_between_segments() -> None:
    assert size_of(DIGITS[:152] + "€" + DIGITS[:152]).segments == 3, "306 places, of which one is lost"
    assert size_of(DIGITS[:151] + "€" + DIGITS[:153]).segments == 2


def test_an_emoji_is_not_split_between_segments() -> None:
    assert size_of("ç" + DIGITS[:65] + "\U0001f61c" + DIGITS[:66]).segments == 3
    assert size_of("ç" + DIGITS[:64] + "\U0001f61c" + DIGITS[:67]).segments == 2


@given(st.text())
def test_the_segments_hold_the_characters(text: str) -> None:
    size = size_of(text)
    single, part = {"GSM-7": (160, 153), "UCS-2": (70, 67)}[size.encoding]
    if size.segments == 1:
        assert size.characters <= single
    else:
        assert single < size.characters <= size.segments * part
        assert size.segments <= size.characters / (part - 1) + 1


@given(st.text(), st.integers(min_value=0, max_value=20))
def test_a_cut_text_is_the_longest_beginning_that_fits(text: str, most: int) -> None:
    beginning = cut(text, most)
    assert text.startswith(beginning)
    assert utf16_length(beginning) <= most
    if beginning != text:
        assert utf16_length(text[: len(beginning) + 1]) > most
