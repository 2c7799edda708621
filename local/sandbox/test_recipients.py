"""Recipients that make a provider behave badly on purpose, and failures at a rate."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Treatment = Literal[
    "accept",  # take it
    "refuse",  # for good: no such address, number or device
    "opt_out",  # for good: the person does not want to hear from us
    "limit",  # 429
    "down",  # 503
    "broken",  # 500
    "deny",  # 401, as if our credentials were wrong
    "hang",  # take it, and never say so
]

LIMITED_TIMES = 2


@dataclass(frozen=True, slots=True)
class Magic:
    """What the first ``times`` tries of one message to ``recipient`` meet (None: all tries); later ones are taken."""

    channel: str
    recipient: str
    treatment: Treatment
    explanation: str
    times: int | None = None


_LIMITED_TWICE = "429 the first two times a message is tried, then accepted"
_ALWAYS_LIMITED = "429 every time, until the attempts are used up"
_TIMEOUT = "accepted and shown here, but the answer never comes; a second try is answered"
_DOWN = "503 every time"
_DENIED = "401, as if our credentials were wrong"


def _usual(channel: str, form: str, names: tuple[str, str, str, str, str]) -> tuple[Magic, ...]:
    limited, always, timeout, down, denied = (form.format(name) for name in names)
    return (
        Magic(channel, limited, "limit", _LIMITED_TWICE, LIMITED_TIMES),
        Magic(channel, always, "limit", _ALWAYS_LIMITED),
        Magic(channel, timeout, "hang", _TIMEOUT, 1),
        Magic(channel, down, "down", _DOWN),
        Magic(channel, denied, "deny", _DENIED),
    )


_WORDS = ("ratelimited", "alwayslimited", "timeout", "unavailable", "unauthorized")
_NUMBERS = ("20", "21", "22", "23", "24")

RECIPIENTS: tuple[Magic, ...] = (
    Magic("email", "bounce@sandbox.test", "refuse", "400: the address is refused for good"),
    *_usual("email", "{}@sandbox.test", _WORDS),
    Magic("sms", "+15005550001", "refuse", "Twilio 21211: not a valid number"),
    Magic("sms", "+15005550004", "opt_out", "Twilio 21610: the person answered STOP"),
    *_usual("sms", "+150055500{}", _NUMBERS),
    Magic("push", "sandbox-unregistered", "refuse", "UNREGISTERED: the app was removed from this device"),
    *_usual("push", "sandbox-{}", _WORDS),
    Magic("webhook", "/webhook/gone", "refuse", "410: the receiver is gone for good"),
    *_usual("webhook", "/webhook/{}", _WORDS),
)


@dataclass(slots=True)
class Fault:
    """Of the requests for one channel, the share ``rate`` (0 to 1) meets ``treatment``; all wait ``delay_seconds``."""

    rate: float
    treatment: Treatment
    delay_seconds: float = 0.0
    _owed: float = 0.0

    def strikes(self) -> bool:
        """Whether the next request fails: exactly every tenth at a rate of 0.1, so that tests can count."""
        self._owed += self.rate
        if self._owed < 1:
            return False
        self._owed -= 1
        return True


@dataclass(slots=True)
class Temper:
    """Decides how each request is treated. Remembers how often a message was tried."""

    faults: dict[str, Fault] = field(default_factory=dict)
    _magic: dict[tuple[str, str], Magic] = field(
        default_factory=lambda: {(magic.channel, magic.recipient): magic for magic in RECIPIENTS}
    )
    _tries: Counter[tuple[str, str, bytes]] = field(default_factory=Counter)

    def treatment(self, channel: str, recipient: str, body: bytes) -> Treatment:
        """How to treat ``body``, which is how one message is told from the next, for ``recipient``."""
        fault = self.faults.get(channel)
        if fault is not None and fault.strikes():
            return fault.treatment
        magic = self._magic.get((channel, recipient))
        if magic is None:
            return "accept"
        if magic.times is None:
            return magic.treatment
        message = (channel, recipient, hashlib.sha256(body).digest())
        self._tries[message] += 1
        return magic.treatment if self._tries[message] <= magic.times else "accept"
