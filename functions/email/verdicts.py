"""What the replies of a mail server mean for a delivery."""

import re
from collections.abc import Mapping

from functions.email.conversation import Phase
from functions.runtime.statuses import Alert, Reject, Retry, Verdict
from shared.reasons import Reason

_ANY_PHASE: Mapping[int, Verdict] = dict.fromkeys((530, 534, 535, 538), Alert(Reason.CREDENTIALS_REFUSED))
_OURS = Alert(Reason.SENDER_REFUSED)
CODES: Mapping[Phase, Mapping[int, Verdict]] = {
    Phase.CONNECTION: _ANY_PHASE,
    Phase.SENDER: _ANY_PHASE,
    Phase.RECIPIENT: {
        **_ANY_PHASE,
        **dict.fromkeys((550, 551, 553), Reject(Reason.INVALID_ADDRESS)),
        # The mailbox is full, or there are too many recipients (RFC 5321, 4.5.3.1.10).
        552: Retry(Reason.PROVIDER_ERROR),
    },
    Phase.CONTENT: {**_ANY_PHASE, 552: Reject(Reason.TOO_LARGE)},
}
OTHER_PERMANENT: Mapping[Phase, Verdict] = {
    Phase.CONNECTION: _OURS,
    Phase.SENDER: _OURS,
    Phase.RECIPIENT: Reject(Reason.REFUSED),
    Phase.CONTENT: Reject(Reason.REFUSED),
}
"""The verdict on any other 5xx. Until the recipient is named, the server can only refuse ourselves."""
_ABOUT_US = re.compile(r"5\.(1\.[78]|7\.\d+)\b")
"""Enhanced codes (RFC 3463) about the sender's address, and about what the server lets us do.

Postfix answers RCPT TO with what it has against our host, our sender or our relaying (``smtpd_delay_reject``).
"""


def verdict_of(phase: Phase, code: int, text: str) -> Verdict:
    """The verdict on a reply: 4xx is temporary, 5xx is permanent. ``text`` may begin with an enhanced code."""
    permanent = code >= 500  # noqa: PLR2004 - SMTP's own limit
    if permanent and phase is Phase.RECIPIENT and code not in _ANY_PHASE and _ABOUT_US.match(text):
        return _OURS
    return CODES[phase].get(code) or (OTHER_PERMANENT[phase] if permanent else Retry(Reason.PROVIDER_ERROR))
