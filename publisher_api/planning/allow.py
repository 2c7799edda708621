"""Step 2, allow: the rules that decide whether a route is used.

A rule is a function from a route (the request, its user, a channel and the addresses on it) to the reason why the route
must not be used, or None. To add a rule: write the function, give it its reason in ``shared.reasons``, and add it to
``RULES`` in the order in which reasons take precedence. A rule about time belongs to ``hold``.
"""

from collections.abc import Callable

import msgspec

from publisher_api.channels.model import Channel
from publisher_api.planning.preference import verdict_on
from publisher_api.planning.route import Route
from shared.addresses import AddressKind
from shared.reasons import Reason


class Target(msgspec.Struct, frozen=True):
    """Where one delivery goes, or the reason why it is suppressed. ``given``: the request names the address."""

    channel: Channel
    address: str | None
    reason: Reason | None = None
    given: bool = False


def channel_is_on(route: Route) -> Reason | None:
    return None if route.channel.enabled else Reason.CHANNEL_OFF


def the_user_wants_it(route: Route) -> Reason | None:
    verdict = verdict_on(route.request.event_type, route.event_type, route.channel, route.layers)
    return None if verdict.wanted else Reason.MUTED


def there_is_an_address(route: Route) -> Reason | None:
    if route.addresses:
        return None
    return missing_address(route.address_kind)


def missing_address(kind: AddressKind) -> Reason:
    """Why a user without an address of this kind gets nothing."""
    return Reason.NO_DEVICE if kind is AddressKind.DEVICE_TOKEN else Reason.NO_ADDRESS


Rule = Callable[[Route], Reason | None]
RULES: tuple[Rule, ...] = (channel_is_on, the_user_wants_it, there_is_an_address)


def allow(route: Route) -> list[Target]:
    """A target for each address of the route; one suppressed target when a rule forbids it."""
    for rule in RULES:
        reason = rule(route)
        if reason is not None:
            return [Target(route.channel, route.addresses[0] if route.addresses else None, reason)]
    given = route.channel.slug in route.request.to
    return [Target(route.channel, address, given=given) for address in route.addresses]
