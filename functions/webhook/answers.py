"""What the answer of a webhook's receiver, or of a preset's service, means for a delivery."""

from typing import Any

import httpx
import msgspec

from functions.runtime.provider import Rejected, Sent
from functions.runtime.statuses import Retry, outcome_for, verdict_of_http
from functions.webhook.exchange import Answer
from functions.webhook.services import SERVICES, Service
from functions.webhook.verdicts import verdict_of
from shared.envelope import Delivery
from shared.reasons import Reason

MAX_BYTES = 64 * 1024
"""How much of a service's answer is read. The ids and codes of all of them are in far less."""
_UNREADABLE = Retry(Reason.PROVIDER_ERROR, ambiguous=True)


def outcome_of(delivery: Delivery, answer: Answer, provider: str) -> Sent | Rejected:
    """The outcome of the answer. Raises ``Retryable``. ``provider`` is named for a receiver without a preset."""
    preset = delivery.config.get("preset")
    if preset is not None:
        return _of_service(SERVICES[preset], preset, answer, delivery.recipient)
    if httpx.codes.is_success(answer.status):
        return Sent(provider, delivery.delivery_id)
    return outcome_for(verdict_of(answer.status), provider=provider, detail=str(answer.status))


def _of_service(service: Service, name: str, answer: Answer, recipient: str) -> Sent | Rejected:
    document = _decoded(answer.body)
    success = httpx.codes.is_success(answer.status)
    if success and (not service.ok or _at(document, (service.ok,)) == "True"):
        return Sent(name, answer.headers.get(service.message_id_header) or _at(document, service.message_id) or None)
    code = _at(document, service.code) if service.code else answer.body.decode(errors="replace").strip()
    if code in service.codes:
        verdict = service.codes[code]
    elif success and not code:
        verdict = _UNREADABLE
    else:
        verdict = verdict_of_http(answer.status, service.statuses)
    shown = code if service.code or code in service.codes else ""  # else it may be the page of a gateway
    return outcome_for(verdict, provider=name, detail=f"{answer.status} {shown}".strip(), hide=recipient)


def _decoded(body: bytes) -> Any:
    """The JSON in ``body``; None if it holds none."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _at(document: Any, path: tuple[str, ...]) -> str:
    """The text or number at ``path``, as text; empty if there is none."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return str(document) if path and isinstance(document, str | int) else ""
