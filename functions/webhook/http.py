"""Webhooks: one signed request to any receiver, with httpx."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar, Self

import httpx

from functions.runtime.provider import Rejected, Sent
from functions.runtime.statuses import HTTP, Reject, Verdict, outcome_for, unreachable, verdict_of_http
from functions.webhook import ssrf
from functions.webhook.request import SECRET, BadRequest, request_of
from shared.envelope import Delivery
from shared.errors import Retryable
from shared.reasons import Reason

_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
STATUSES: Mapping[int, Verdict] = {
    **HTTP,
    401: Reject(Reason.REFUSED),
    403: Reject(Reason.REFUSED),
    410: Reject(Reason.GONE),
    **dict.fromkeys((301, 302, 303, 307, 308), Reject(Reason.REDIRECTED)),
}


class Http:
    """``secrets`` holds the signing secrets by name; ``allow_private`` permits receivers on this machine."""

    name = "http"
    required: ClassVar[tuple[str, ...]] = (SECRET,)

    def __init__(
        self, client: httpx.Client, secrets: Mapping[str, str], now: Callable[[], datetime], *, allow_private: bool
    ) -> None:
        self._client = client
        self._secrets = secrets
        self._now = now
        self._allow_private = allow_private

    @classmethod
    def from_env(cls, environ: Mapping[str, str], timeout: httpx.Timeout = _TIMEOUT) -> Self:
        # No proxy from the environment: it would resolve names itself. No connection is kept: a connection to an
        # address that two hosts share would be used for both, although its certificate was checked for one.
        client = httpx.Client(timeout=timeout, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
        allow_private = environ.get("WEBHOOK_ALLOW_PRIVATE_ADDRESSES") == "true"
        return cls(client, environ, partial(datetime.now, UTC), allow_private=allow_private)

    def send(self, delivery: Delivery) -> Sent | Rejected:
        try:
            request = request_of(delivery, self._secrets, self._now())
            self._fix_address(request)
            # Stream the response and close it unread: we do not need the response's body, and it could be endless.
            response = self._client.send(request, stream=True, follow_redirects=False)
            response.close()
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
        if response.is_success:
            return Sent(self.name, delivery.delivery_id)
        verdict = verdict_of_http(response.status_code, STATUSES)
        return outcome_for(verdict, provider=self.name, detail=str(response.status_code))

    def _fix_address(self, request: httpx.Request) -> None:
        """Send the request to the address that was checked. ``Host`` and certificate remain those of the host name."""
        url = request.url
        host = url.raw_host.decode()  # in httpx's encoding: Python's own is older and may give another host
        port = url.port or {"http": 80, "https": 443}[url.scheme]
        address = ssrf.resolve(host, port, allow_private=self._allow_private)
        request.extensions["sni_hostname"] = host
        request.url = url.copy_with(host=address)
