"""The test recipients: addresses for which a provider stub fails in a chosen way."""

from dataclasses import dataclass
from typing import Literal

Treatment = Literal[
    "accept",  # accept the message
    "refuse",  # refuse permanently: no such address, number or device
    "opt_out",  # refuse permanently: the user opted out
    "limit",  # 429
    "down",  # 503
    "broken",  # 500
    "deny",  # 401, as if our credentials were wrong
    "hang",  # accept the message, and never respond
]


@dataclass(frozen=True, slots=True)
class TestRecipient:
    """Messages to ``recipient`` get ``treatment``: the first ``times`` attempts of each, or every attempt for None."""

    channel_type: str
    recipient: str
    treatment: Treatment
    explanation: str
    times: int | None = None


_LIMITED_TWICE = "429 for a message's first two attempts, then accepted"
_ALWAYS_LIMITED = "429 for every attempt, until the attempts are used up"
_TIMEOUT = "accepted without a response; the second attempt gets one"
_DOWN = "503 for every attempt"
_DENIED = "401, as if our credentials were wrong"


def _usual(channel_type: str, form: str, names: tuple[str, str, str, str, str]) -> tuple[TestRecipient, ...]:
    limited, always, timeout, down, denied = (form.format(name) for name in names)
    return (
        TestRecipient(channel_type, limited, "limit", _LIMITED_TWICE, 2),
        TestRecipient(channel_type, always, "limit", _ALWAYS_LIMITED),
        TestRecipient(channel_type, timeout, "hang", _TIMEOUT, 1),
        TestRecipient(channel_type, down, "down", _DOWN),
        TestRecipient(channel_type, denied, "deny", _DENIED),
    )


_NAMES = ("ratelimited", "alwayslimited", "timeout", "unavailable", "unauthorized")
_NUMBERS = ("20", "21", "22", "23", "24")

RECIPIENTS: tuple[TestRecipient, ...] = (
    TestRecipient("email", "bounce@sandbox.test", "refuse", "400: the address is refused permanently"),
    *_usual("email", "{}@sandbox.test", _NAMES),
    TestRecipient("sms", "+15005550001", "refuse", "Twilio 21211: not a valid number"),
    TestRecipient("sms", "+15005550004", "opt_out", "Twilio 21610: the user replied STOP"),
    *_usual("sms", "+150055500{}", _NUMBERS),
    TestRecipient("push", "sandbox-unregistered", "refuse", "UNREGISTERED: the app was removed from this device"),
    *_usual("push", "sandbox-{}", _NAMES),
    TestRecipient("webhook", "/webhook/gone", "refuse", "410: the receiver is gone permanently"),
    *_usual("webhook", "/webhook/{}", _NAMES),
)
