import sys
import unicodedata

import msgspec
import pytest

from functions.email.mail import mail_of
from functions.email.sender import Sender
from shared.content import EmailContent
from tests.factories import NOON, make_delivery

LINE_BREAKS = ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
UNUSUAL = [
    character
    for character in map(chr, range(1, sys.maxunicode + 1))
    if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Zs")
]


def content(subject: str) -> dict[str, str]:
    return {"subject": subject, "text": "You paid 10."}


@pytest.mark.parametrize("line_break", LINE_BREAKS, ids=ascii)
@pytest.mark.parametrize("subject", ["Hello{}", "{}Hello", "Hello{}Bcc: eve@example.com"])
def test_subject_with_any_line_break_is_refused(subject: str, line_break: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="subject"):
        msgspec.convert(content(subject.format(line_break)), EmailContent)


def test_every_subject_that_is_accepted_becomes_one_header_of_a_mail() -> None:
    accepted = []
    for character in UNUSUAL:
        subject = f"Paid{character}10"
        try:
            msgspec.convert(content(subject), EmailContent)
        except msgspec.ValidationError:
            continue
        accepted.append(character)
        mail = mail_of(make_delivery(content=content(subject)), Sender("hello@heliograph.example"), NOON)
        head, _, body = mail.as_bytes().partition(b"\r\n\r\n")
        assert b"Message-ID" in head, ascii(character)
        assert body.strip() == b"You paid 10.", ascii(character)
    assert len(accepted) > 100
