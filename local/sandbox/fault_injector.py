"""Decides how a provider stub treats each request: by injected faults first, then by test recipients."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field

from local.sandbox.test_recipients import RECIPIENTS, TestRecipient, Treatment


@dataclass(slots=True)
class Fault:
    """The share ``rate`` (0 to 1) of one channel type's requests gets ``treatment``; all wait ``delay_seconds``."""

    rate: float
    treatment: Treatment
    delay_seconds: float = 0.0
    _accumulated: float = 0.0

    def strikes(self) -> bool:
        """Whether the next request fails. Not random: at a rate of 0.1, every tenth fails, so that tests can count."""
        self._accumulated += self.rate
        if self._accumulated < 1:
            return False
        self._accumulated -= 1
        return True


@dataclass(slots=True)
class FaultInjector:
    """Chooses the treatment of each request. ``faults`` is by channel type. Counts the attempts of each message."""

    faults: dict[str, Fault] = field(default_factory=dict)
    _recipients: dict[tuple[str, str], TestRecipient] = field(
        default_factory=lambda: {(each.channel_type, each.recipient): each for each in RECIPIENTS}
    )
    _attempts: Counter[tuple[str, str, bytes]] = field(default_factory=Counter)

    def treatment(self, channel_type: str, recipient: str, body: bytes) -> Treatment:
        """The treatment of a request to ``recipient``. Requests with the same ``body`` are attempts of one message."""
        fault = self.faults.get(channel_type)
        if fault is not None and fault.strikes():
            return fault.treatment
        test_recipient = self._recipients.get((channel_type, recipient))
        if test_recipient is None:
            return "accept"
        if test_recipient.times is None:
            return test_recipient.treatment
        message = (channel_type, recipient, hashlib.sha256(body).digest())
        self._attempts[message] += 1
        return test_recipient.treatment if self._attempts[message] <= test_recipient.times else "accept"
