import pytest

from shared.channel_types import channel_type_named
from shared.errors import UnknownChannelType


@pytest.mark.parametrize(
    ("channel_type", "recipient", "redacted"),
    [
        ("email", "ada@example.com", "a***@example.com"),
        ("email", "not an address", "***@not an address"),
        ("sms", "+447700900123", "+44***123"),
        ("webhook", "https://user:secret@hooks.example/T0/B1/token", "https://hooks.example/***"),
        ("webhook", "https://hooks.example?token=s3cret", "https://hooks.example/***"),
        ("webhook", "https://hooks.example#s3cret", "https://hooks.example/***"),
        ("webhook", "https://hooks.example\\s3cret", "https://hooks.example/***"),
        ("webhook", "https://hooks.example?mail=a@s3cret", "https://hooks.example/***"),
        ("webhook", "https://user:s3@cret@hooks.example/", "https://hooks.example/***"),
        ("webhook", "hooks.example?token=s3cret", "***"),
        ("push", "fGc1-0123456789abcdef", "fGc1-0***"),
        ("inapp", "user-7", "user-7"),
    ],
)
def test_redacted_recipient_can_be_recognised_but_not_written_to(
    channel_type: str, recipient: str, redacted: str
) -> None:
    assert channel_type_named(channel_type).redact(recipient) == redacted


def test_unknown_channel_type_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(UnknownChannelType, match=r"'fax'.*email, inapp, push, sms, webhook"):
        channel_type_named("fax")
