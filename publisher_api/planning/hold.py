"""Step 4, hold: the rules that let a delivery wait. Nothing is dropped here.

A rule is a function from a route, an address and a moment to the end of its wait, or None if the delivery may be sent
at this moment. To add a rule: write the function, give it its reason in ``shared.reasons``, and add it to ``RULES``,
before the rules that must give way to it.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from publisher_api.addresses import country_of_phone
from publisher_api.channels.model import Channel
from publisher_api.planning.allow import Target
from publisher_api.planning.legal_hours import FORBIDDEN
from publisher_api.planning.preference import Layers, quiet_hours_of
from publisher_api.planning.quiet_hours import end_of_quiet
from publisher_api.planning.route import Route
from publisher_api.planning.schedule import Schedule
from publisher_api.users.model import User
from shared.addresses import AddressKind
from shared.channel_types import channel_type_named
from shared.reasons import Reason

# What waited for the same hour is not sent in the same second: neither providers nor people would like that.
JITTER = timedelta(minutes=5)
# Rules may take turns: one ends in the hours of another. After so many they have no free hour in common.
_MAX_TURNS = 32


class Hold(msgspec.Struct, frozen=True):
    """Until when a delivery waits, and for what."""

    until: datetime
    reason: Reason


def legal_hours(route: Route, address: str, moment: datetime) -> Hold | None:
    """Commercial messages wait for the hours that the recipient's country allows, however urgent they are."""
    if route.event_type is None or not route.event_type.commercial or route.address_kind is not AddressKind.PHONE:
        return None
    law = FORBIDDEN.get((route.channel.channel_type, country_of_phone(address) or ""))
    if law is None:
        return None
    zones = [route.user.timezone] if route.user.timezone is not None else law.zones
    until = max(end_of_quiet(moment, law.forbidden, ZoneInfo(zone)) for zone in zones)
    return Hold(until, Reason.LEGAL_HOURS) if until > moment else None


def quiet_hours(route: Route, _address: str, moment: datetime) -> Hold | None:
    """What disturbs waits for the end of the user's quiet hours, unless it is urgent."""
    if route.request.priority >= route.channel.urgent_priority:
        return None
    until = quiet_until(route.layers, route.user, route.channel, moment)
    return None if until is None else Hold(until, Reason.QUIET_HOURS)


def quiet_until(layers: Layers, user: User, channel: Channel, moment: datetime) -> datetime | None:
    """The end of the user's quiet hours on the channel; None if ``moment`` is in none of them."""
    quiet = quiet_hours_of(layers)
    if quiet is None or not quiet.windows or not channel_type_named(channel.channel_type).disturbs:
        return None
    until = end_of_quiet(moment, quiet.windows, ZoneInfo(quiet.timezone or user.timezone or "UTC"))
    return until if until > moment else None


Rule = Callable[[Route, str, datetime], Hold | None]
RULES: tuple[Rule, ...] = (legal_hours, quiet_hours)


def hold(route: Route, target: Target, schedule: Schedule, notification_id: str) -> Hold | None:
    """The wait of one target, None if it is sent when its notification is due.

    It ends at the first moment at which every rule lets it go, and up to ``JITTER`` later where that is allowed. Where
    the rules have no free hour in common, the last of them gives way.
    """
    if target.reason is not None or target.address is None:
        return None
    found = _first_free(RULES, route, target.address, schedule.due_at)
    if found is None:
        return None
    later = found.until + JITTER * _share(notification_id)
    allowed = _next_hold(RULES, route, target.address, later) is None
    in_time = schedule.expires_at is None or later < schedule.expires_at
    return Hold(later, found.reason) if allowed and in_time else found


def _first_free(rules: Sequence[Rule], route: Route, address: str, due_at: datetime) -> Hold | None:
    found, moment = None, due_at
    for _ in range(_MAX_TURNS):
        turn = _next_hold(rules, route, address, moment)
        if turn is None:
            return found
        found, moment = turn, turn.until
    return _first_free(rules[:-1], route, address, due_at)


def _next_hold(rules: Sequence[Rule], route: Route, address: str, moment: datetime) -> Hold | None:
    return next((held for rule in rules if (held := rule(route, address, moment)) is not None), None)


def _share(notification_id: str) -> float:
    """From 0 to 1, the same for each delivery of a notification: its channels stay together."""
    return int.from_bytes(hashlib.blake2b(notification_id.encode(), digest_size=4).digest()) / 2**32
