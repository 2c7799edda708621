import pytest

from shared.channel_types import channel_type_named


@pytest.mark.parametrize(
    ("kind", "recipient", "redacted"),
    [
        ("email", "ada@example.com", "a***@example.com"),
        ("email", "not an address", "***@not an address"),
        ("sms", "+447700900123", "+44***123"),
        ("webhook", "https://user:secret@hooks.example/T0/B1/token", "https://hooks.example/***"),
        ("push", "fGc1-0123456789abcdef", "fGc1-0***"),
        ("inapp", "user-7", "user-7"),
    ],
)
def test_a_redacted_recipient_can_be_recognised_but_not_written_to(kind: str, recipient: str, redacted: str) -> None:
    assert channel_type_named(kind).redact(recipient) == redacted
