"""What can go wrong between a queue and a provider, as one small tree.

::

    HeliographError
    ├── ConfigurationError      the environment is incomplete; names everything that is missing at once
    ├── UnknownChannelType      no code knows this channel type
    ├── Undecodable             the message is not one of ours; a retry cannot help   → dead letter
    └── DeliveryError           an attempt ended without an outcome
        ├── Retryable           the provider, the network or the ledger may work later → retry
        │   └── StillSending    the provider was given up, and may still send          → retry after the lease
        ├── Deferred            this delivery must wait, and others need not            → the publisher sends it again
        └── CredentialsRefused  our credentials, account or sender are wrong; every message fails  → retry, and an alert

A provider that refuses a message permanently is no error: it is an outcome (``Rejected``), recorded like ``Sent``.
"""

from datetime import datetime

from shared.reasons import Reason


class HeliographError(Exception):
    """The base of every error that Heliograph raises itself."""


class ConfigurationError(HeliographError):
    """The process cannot start with this environment."""

    @classmethod
    def missing(cls, names: list[str]) -> "ConfigurationError":
        return cls(f"Set these environment variables: {', '.join(sorted(set(names)))}.")


class UnknownChannelType(HeliographError):
    """The channel type is in no registry."""


class Undecodable(HeliographError):
    """The message cannot be decoded. Never holds the body, which may be personal data."""


class DeliveryError(HeliographError):
    """An attempt ended without an outcome.

    ``reason`` appears in the timeline; ``detail`` is text for readers, without personal data.
    """

    def __init__(self, reason: Reason, detail: str = "", *, provider: str | None = None) -> None:
        super().__init__(detail or reason)
        self.reason = reason
        self.detail = detail
        self.provider = provider


class Retryable(DeliveryError):
    """A later attempt may succeed.

    ``ambiguous``: the provider may have accepted the message although no answer arrived (a timeout after sending). The
    next attempt is reported as a possible duplicate, and no other provider is tried for this one.
    """

    def __init__(
        self, reason: Reason, detail: str = "", *, provider: str | None = None, ambiguous: bool = False
    ) -> None:
        super().__init__(reason, detail, provider=provider)
        self.ambiguous = ambiguous


class StillSending(Retryable):
    """The provider was given up, and its thread still runs. Ambiguous; the claim must be kept until its lease ends."""

    def __init__(self, reason: Reason, detail: str = "", *, provider: str | None = None) -> None:
        super().__init__(reason, detail, provider=provider, ambiguous=True)


class Deferred(DeliveryError):
    """The delivery waits until ``until`` in the outbox. Its message is done, so that it delays no other message.

    ``ambiguous``: as for ``Retryable``.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str = "",
        *,
        provider: str | None = None,
        until: datetime,
        ambiguous: bool = False,
    ) -> None:
        super().__init__(reason, detail, provider=provider)
        self.until = until
        self.ambiguous = ambiguous


class CredentialsRefused(DeliveryError):
    """A provider or store does not accept our credentials, account or sender. An operator must act."""
