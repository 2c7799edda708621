"""The expected subscriptions: those of ``shared.topology``, with where each pushes in one deployment."""

from dataclasses import dataclass

import msgspec

from doctor.settings import Settings
from shared import topology
from shared.topology import PUBLISHER, RetryProfile


@dataclass(frozen=True, slots=True)
class Push:
    """Where a subscription pushes to, and the audience and account of its OIDC token."""

    endpoint: str
    audience: str
    service_account: str


class PushSubscription(topology.Subscription, frozen=True, kw_only=True):
    """A subscription with its push settings, expected or as found in Pub/Sub.

    A found subscription has no ``target``: Pub/Sub knows only the endpoint.
    """

    target: str | None = None
    push: Push | None = None


def expected_subscriptions(settings: Settings) -> list[PushSubscription]:
    """All subscriptions that the deployment must have.

    Locally none of them pushes, because the push bridge pulls, and they have the retry profile of the running stack.
    """
    profile = settings.local.retry_profile if settings.local else RetryProfile.PRODUCTION
    return [
        PushSubscription(**msgspec.structs.asdict(declared), push=_push(declared.target, settings))
        for declared in topology.subscriptions(profile)
    ]


def _push(target: str | None, settings: Settings) -> Push | None:
    if target is None or settings.local:
        return None
    if target == PUBLISHER:
        endpoint = f"{settings.publisher_url}/internal/outcomes"
        return Push(endpoint, settings.push_audience, settings.push_service_account)
    url = settings.functions[target]
    return Push(url, url, settings.push_service_account)
