"""What can go wrong on the way to a person, as one small tree.

::

    HeliographError
    ├── ConfigurationError    the environment lacks something; says all that it lacks at once
    ├── Undecodable           the message is not one of ours; retrying cannot mend it       → 400
    └── DeliveryError         an attempt ended without an answer about the notification
        ├── Retryable         the provider, the network or the ledger asks to try later      → 503
        └── CredentialsRefused  our credentials are wrong: every message will fail alike     → 500, an alert

A provider that *refuses a message for good* is not an error: it is an answer (``Rejected``), recorded like ``Sent``.
"""


class HeliographError(Exception):
    """The base of every error that Heliograph raises itself."""


class ConfigurationError(HeliographError):
    """The process cannot start with this environment."""

    @classmethod
    def missing(cls, names: list[str]) -> "ConfigurationError":
        return cls(f"Set these environment variables: {', '.join(sorted(names))}.")


class Undecodable(HeliographError):
    """The message cannot be read. Never holds the body: it may be personal data."""


class DeliveryError(HeliographError):
    """An attempt ended without an answer.

    ``reason`` is a short word for the timeline (``rate_limited``); the message is a sentence for people.
    """

    def __init__(self, reason: str, detail: str = "", *, provider: str | None = None) -> None:
        super().__init__(detail or reason)
        self.reason = reason
        self.detail = detail
        self.provider = provider


class Retryable(DeliveryError):
    """Trying again later can help.

    ``ambiguous``: the provider may have taken the message although we never heard so (a timeout after sending). The
    next attempt is then reported as a possible duplicate, and no other provider is tried in its stead.
    """

    def __init__(self, reason: str, detail: str = "", *, provider: str | None = None, ambiguous: bool = False) -> None:
        super().__init__(reason, detail, provider=provider)
        self.ambiguous = ambiguous


class CredentialsRefused(DeliveryError):
    """The provider does not accept our credentials."""
