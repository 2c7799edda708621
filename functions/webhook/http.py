"""Webhooks: one signed request to any receiver, with httpx."""

import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar, Self

import httpx

from functions.runtime.provider import Rejected, Sent
from functions.runtime.statuses import unreachable
from functions.webhook import ssrf
from functions.webhook.answers import MAX_BYTES, outcome_of
from functions.webhook.credentials import BadRequest
from functions.webhook.exchange import Deadline, answer_to
from functions.webhook.request import request_of
from shared.envelope import Delivery
from shared.errors import Retryable
from shared.reasons import Reason
from shared.webhook_secrets import MASTER_SECRET

_EXCHANGE_SECONDS = 15.0
_CONNECT_SECONDS = 5.0


class Http:
    """``secrets`` holds the signing secrets by name; ``allow_private`` permits receivers on this machine.

    ``trusted`` says whose certificates are accepted; True stands for the public authorities.
    """

    name = "http"
    required: ClassVar[tuple[str, ...]] = (MASTER_SECRET,)
    longest_send_seconds: ClassVar[float] = 20.0

    def __init__(
        self,
        secrets: Mapping[str, str],
        now: Callable[[], datetime],
        seconds: float,
        *,
        allow_private: bool,
        trusted: ssl.SSLContext | bool = True,
    ) -> None:
        # No proxy from the environment: it would resolve names itself. No connection is kept: a connection to an
        # address that two hosts share would be used for both, although its certificate was checked for one.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._transport = httpx.HTTPTransport(verify=trusted, trust_env=False, limits=limits)
        self._seconds = seconds
        self._secrets = secrets
        self._now = now
        self._allow_private = allow_private

    @classmethod
    def from_env(cls, environ: Mapping[str, str], seconds: float = _EXCHANGE_SECONDS) -> Self:
        allow_private = environ.get("WEBHOOK_ALLOW_PRIVATE_ADDRESSES") == "true"
        return cls(environ, partial(datetime.now, UTC), seconds, allow_private=allow_private)

    def send(self, delivery: Delivery) -> Sent | Rejected:
        try:
            request = request_of(delivery, self._secrets, self._now())
            with Deadline(self._seconds) as deadline:
                addresses = self._addresses(request)
                # The answer of an ordinary receiver says nothing that its status does not.
                max_bytes = MAX_BYTES if "preset" in delivery.config else 0
                answer = answer_to(self._transport, request, addresses, deadline, _CONNECT_SECONDS, max_bytes)
        except BadRequest as error:
            return Rejected(self.name, error.reason, error.detail)
        except ssrf.ForbiddenHost:
            return Rejected(self.name, Reason.FORBIDDEN_ADDRESS)
        except ssrf.UnresolvedHost as error:
            raise Retryable(Reason.UNRESOLVED_HOST, provider=self.name) from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            unreachable(self.name, error, ambiguous=False)
        except httpx.LocalProtocolError:
            return Rejected(self.name, Reason.INVALID_HEADERS)
        except httpx.TransportError as error:
            unreachable(self.name, error, ambiguous=True)
        return outcome_of(delivery, answer, self.name)

    def _addresses(self, request: httpx.Request) -> Sequence[str]:
        """The addresses that were checked. The certificate must be that of the host's name."""
        url = request.url
        host = url.raw_host.decode()  # in httpx's encoding: Python's own is older and may give another host
        port = url.port or {"http": 80, "https": 443}[url.scheme]
        request.extensions["sni_hostname"] = host
        return ssrf.resolve(host, port, allow_private=self._allow_private)
