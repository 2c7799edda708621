"""Puts a function together from its environment, on the first message. ``functions.profile`` chooses its ports."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

from functions.profile import connector
from functions.runtime import environment
from functions.runtime.breaker import Breaker, BreakerKey
from functions.runtime.deferral import Deferral
from functions.runtime.deliver import Dependencies, handle_delivery
from functions.runtime.failover import Failover
from functions.runtime.lazy import Lazy
from functions.runtime.limits import ReceiverLimit, TimeLimit
from functions.runtime.ports import Services
from functions.runtime.provider import Adapter, Provider
from shared import logs
from shared.topology import TOPOLOGY, RetryProfile
from transport.port import Handler

Build = Callable[[Services], Handler]


def channel(
    channel_type: str,
    adapters: Sequence[type[Adapter]],
    environ: Mapping[str, str],
    receiver_of: BreakerKey | None = None,
) -> Lazy[Handler]:
    """The function of ``channel_type``, with its providers in their default order.

    ``receiver_of`` names the receiver of a delivery, where each has its own server (webhooks): the receiver then has a
    breaker of its own, may hold a part of the instance only, and its deliveries wait in the outbox while it fails.
    Building the function raises ``ConfigurationError``.
    """
    build = partial(_channel_handler, channel_type, adapters, environ, receiver_of)
    return function(channel_type, build, environ, [name for adapter in adapters for name in adapter.required])


def function(name: str, build: Build, environ: Mapping[str, str], required: Sequence[str] = ()) -> Lazy[Handler]:
    """The function ``name``, whose handler ``build`` makes. ``required`` are the variables that it needs itself.

    Building it raises one ``ConfigurationError`` that names every missing variable.
    """
    return Lazy(partial(_function, name, build, environ, required))


def _function(name: str, build: Build, environ: Mapping[str, str], required: Sequence[str]) -> Handler:
    logs.configure()
    profile = connector(environ)
    environment.require(environ, [*profile.REQUIRED, *required])
    return build(profile.connect(environ, lease_of(name, environ)))


def lease_of(function: str, environ: Mapping[str, str]) -> timedelta:
    """How long a claim of ``function`` holds.

    ``LEDGER_LEASE_SECONDS`` overrides it in tests that wait for a lease to end. In production, a lease that is shorter
    than the function's timeout would send twice. A function that is no channel type claims nothing.
    """
    declared = TOPOLOGY[function].lease_seconds if function in TOPOLOGY else 0
    return timedelta(seconds=float(environ.get("LEDGER_LEASE_SECONDS") or declared))


def _channel_handler(
    channel_type: str,
    adapters: Sequence[type[Adapter]],
    environ: Mapping[str, str],
    receiver_of: BreakerKey | None,
    services: Services,
) -> Handler:
    providers = [
        _guarded(TimeLimit(provider, adapter.longest_send_seconds), receiver_of, TOPOLOGY[channel_type].receiver_limit)
        for adapter in adapters
        if (provider := adapter.from_env(environ)) is not None
    ]
    dependencies = Dependencies(
        provider=Failover(providers),
        ledger=services.ledger,
        switches=services.switches,
        outcomes=services.outcomes,
        record=services.record,
        now=services.now,
        deferral=_deferral(channel_type, environ) if receiver_of else None,
    )
    return partial(handle_delivery, channel_type, dependencies)


def _deferral(channel_type: str, environ: Mapping[str, str]) -> Deferral:
    """The waits of the channel type; shorter where ``RETRY_PROFILE`` (the local stack sets it) says so."""
    profile = RetryProfile.from_env(environ)
    declared = TOPOLOGY[channel_type]
    shortest, longest = (timedelta(seconds=seconds) for seconds in profile.backoff(declared.backoff_seconds))
    attempts = profile.attempts_of(declared.attempts)
    return Deferral(attempts, shortest, longest, lease_of(channel_type, environ), random.random)


def _guarded(provider: Provider, receiver_of: BreakerKey | None, receiver_limit: int) -> Provider:
    if receiver_of is None:
        return Breaker(provider)
    # The limit is outside: a delivery that finds no place says nothing about the receiver's health.
    return ReceiverLimit(Breaker(provider, receiver_of), receiver_of, receiver_limit)
