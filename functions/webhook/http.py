"""A webhook: one signed request to any receiver, by httpx."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar, Self

import httpx

from functions.runtime.provider import Rejected, Sent
from functions.runtime.statuses import HTTP, Reject, Verdict, settle, unreachable, verdict_of_http
from functions.webhook import addresses
from functions.webhook.request import SECRET, BadRequest, request_of
from shared.envelope import Delivery
from shared.errors import Retryable

_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
STATUSES: Mapping[int, Verdict] = {
    **HTTP,
    401: Reject("refused"),
    403: Reject("refused"),
    410: Reject("gone"),
    **dict.fromkeys((301, 302, 303, 307, 308), Reject("redirected")),
}


class Http:
    """``secrets`` gives the signing secrets by name; ``allow_private`` is for receivers on this machine."""

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
        # No proxy from the environment, which would resolve names itself. No kept connections: one to an address that
        # two hosts share would be used for both, though its certificate was checked for one.
        client = httpx.Client(timeout=timeout, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
        allow_private = environ.get("WEBHOOK_ALLOW_PRIVATE_ADDRESSES") == "true"
        return cls(client, environ, partial(datetime.now, UTC), allow_private=allow_private)

    def send(self, delivery: Delivery) -> Sent | Rejected:
        try:
            request = request_of(delivery, self._secrets, self._now())
            self._fix_address(request)
            # Streamed and closed unread: the answer's body says nothing to us, and could be endless.
            answer = self._client.send(request, stream=True, follow_redirects=False)
            answer.close()
        except BadRequest as error:
            return Rejected(self.name, str(error))
        except addresses.Forbidden:
            return Rejected(self.name, "forbidden_address")
        except addresses.Unresolved as error:
            raise Retryable("unresolved_host", provider=self.name) from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            unreachable(self.name, error, ambiguous=False)
        except httpx.LocalProtocolError:
            return Rejected(self.name, "invalid_headers")
        except httpx.TransportError as error:
            unreachable(self.name, error, ambiguous=True)
        if answer.is_success:
            return Sent(self.name, delivery.delivery_id)
        return settle(verdict_of_http(answer.status_code, STATUSES), provider=self.name, detail=str(answer.status_code))

    def _fix_address(self, request: httpx.Request) -> None:
        """Aim the request at the address that was checked. ``Host`` and the certificate stay the name's."""
        url = request.url
        host = url.raw_host.decode()  # as httpx writes it: Python's own encoding is older, and may name another host
        port = url.port or {"http": 80, "https": 443}[url.scheme]
        address = addresses.resolve(host, port, allow_private=self._allow_private)
        request.extensions["sni_hostname"] = host
        request.url = url.copy_with(host=address)
