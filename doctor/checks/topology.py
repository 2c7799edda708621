"""Pub/Sub: every topic there, every subscription as declared."""

from collections.abc import Iterator, Sequence

from doctor.checks.unknown import check_unknown
from doctor.facts import Answer, Topology, Unknown, Unreachable
from doctor.finding import Finding, fine, not_examined, wrong
from doctor.mending import Mending
from doctor.topology import Subscription

_SAME_SECONDS = 0.001


def check_topology(
    topics: Sequence[str], wanted: Sequence[Subscription], found: Topology | Unknown, mending: Mending
) -> Iterator[Finding]:
    if not isinstance(found, Topology):
        yield check_unknown("Pub/Sub", found, mending)
        yield not_examined(f"{len(topics)} topics and {len(wanted)} subscriptions: not known without Pub/Sub")
        return
    for topic in topics:
        if topic in found.topics:
            yield fine(f"topic {topic}")
        else:
            yield wrong(f"topic {topic} is missing", mending.restore())
    for subscription in wanted:
        yield from check_subscription(subscription, found.subscriptions.get(subscription.name), mending)


def check_subscription(wanted: Subscription, found: Subscription | None, mending: Mending) -> list[Finding]:
    """One finding for each thing that differs, or one that all is well."""
    name = f"subscription {wanted.name}"
    if found is None:
        return [wrong(f"{name} is missing: nobody gets what is published to {wanted.topic} for it", mending.restore())]
    differences = [
        *_unchangeable(wanted, found, mending),
        *_dead_letters(wanted, found, mending),
        *_timing(wanted, found, mending),
        *_push(wanted, found, mending),
    ]
    return [wrong(f"{name}: {what}", mend) for what, mend in differences] or [fine(f"{name}: {_summary(wanted)}")]


def _unchangeable(wanted: Subscription, found: Subscription, mending: Mending) -> Iterator[tuple[str, str]]:
    if found.topic != wanted.topic:
        yield f"it hangs on the topic {found.topic}, not on {wanted.topic}", mending.restore()
    if found.filter != wanted.filter:
        is_, wanted_is = _or_none(found.filter), _or_none(wanted.filter)
        replaced = "a filter cannot be changed, so the subscription will be replaced and what waits in it is lost"
        yield f"its filter is {is_}, not {wanted_is}; {replaced}", mending.restore()


def _dead_letters(wanted: Subscription, found: Subscription, mending: Mending) -> Iterator[tuple[str, str]]:
    if wanted.dead_letters is None or wanted.dead_letters == found.dead_letters:
        return
    topic, attempts = wanted.dead_letters.topic, wanted.dead_letters.attempts
    flags = [f"--dead-letter-topic={topic}", f"--max-delivery-attempts={attempts}"]
    if found.dead_letters is None:
        what = f"it has no dead-letter topic, and should give up to {topic} after {attempts} attempts"
        yield what, mending.adjust(wanted, flags)
        return
    is_, after = found.dead_letters.topic, found.dead_letters.attempts
    yield f"it gives up to {is_} after {after} attempts, not to {topic} after {attempts}", mending.adjust(wanted, flags)


def _timing(wanted: Subscription, found: Subscription, mending: Mending) -> Iterator[tuple[str, str]]:
    deadline = wanted.ack_deadline_seconds
    if deadline is not None and found.ack_deadline_seconds != deadline:
        yield (
            f"its acknowledgement deadline is {found.ack_deadline_seconds} s, not {deadline} s",
            mending.adjust(wanted, [f"--ack-deadline={deadline}"]),
        )
    if wanted.backoff_seconds is not None and not _same(wanted.backoff_seconds, found.backoff_seconds):
        shortest, longest = wanted.backoff_seconds
        yield (
            f"it retries {_backoff(found.backoff_seconds)}, not {_backoff(wanted.backoff_seconds)}",
            mending.adjust(wanted, [f"--min-retry-delay={shortest:g}s", f"--max-retry-delay={longest:g}s"]),
        )


def _push(wanted: Subscription, found: Subscription, mending: Mending) -> Iterator[tuple[str, str]]:
    if wanted.push is None:
        return
    mend = mending.adjust(
        wanted,
        [
            f"--push-endpoint={wanted.push.endpoint}",
            f"--push-auth-service-account={wanted.push.service_account}",
            f"--push-auth-token-audience={wanted.push.audience}",
        ],
    )
    if found.push is None:
        yield f"it pushes nowhere, and should to {wanted.push.endpoint}", mend
        return
    if found.push.endpoint != wanted.push.endpoint:
        yield f"it pushes to {found.push.endpoint}, not to {wanted.push.endpoint}", mend
    if not found.push.service_account:
        yield "its pushes carry no token, so they are refused", mend
        return
    if found.push.audience != wanted.push.audience:
        yield f"its tokens are for the audience {_or_none(found.push.audience)}, not {wanted.push.audience}", mend
    if found.push.service_account != wanted.push.service_account:
        yield f"it pushes as {found.push.service_account}, not as {wanted.push.service_account}", mend


def check_bridge(found: Answer | Unreachable | None, mending: Mending) -> Iterator[Finding]:
    """One machine's stand-in for Google's pushing; nothing to say in the clouds."""
    if found is None:
        return
    yield not_examined(
        "push endpoints, OIDC audience and account of subscriptions: on one machine the bridge pulls and pushes itself"
    )
    match found:
        case Answer(status=200):
            yield fine("the push bridge pulls every subscription")
        case Answer(body=body):
            stopped = ", ".join(str(path).rpartition("/")[2] for path in body.get("stopped", []))
            yield wrong(f"the push bridge pulls no more: {stopped}", mending.restore())
        case Unreachable(reason):
            yield wrong(f"the push bridge does not answer: {reason}", mending.restore())


def _summary(wanted: Subscription) -> str:
    parts = [wanted.filter] if wanted.filter else [f"takes all of {wanted.topic}"]
    if wanted.push:
        audience = "it" if wanted.push.audience == wanted.push.endpoint else wanted.push.audience
        parts.append(f"pushes to {wanted.push.endpoint} with a token for {audience}")
    if wanted.backoff_seconds:
        parts.append(f"retries {_backoff(wanted.backoff_seconds)}")
    if wanted.ack_deadline_seconds:
        parts.append(f"deadline {wanted.ack_deadline_seconds} s")
    if wanted.dead_letters:
        parts.append(f"gives up to {wanted.dead_letters.topic} after {wanted.dead_letters.attempts}")
    return ", ".join(parts)


def _same(wanted: tuple[float, float], found: tuple[float, float] | None) -> bool:
    """No backoff at all is what the emulator is asked for by a factor of 0."""
    pairs = zip(wanted, found or (0.0, 0.0), strict=True)
    return all(abs(one - other) < _SAME_SECONDS for one, other in pairs)


def _backoff(seconds: tuple[float, float] | None) -> str:
    return "at once" if seconds is None else f"after {seconds[0]:g} to {seconds[1]:g} s"


def _or_none(text: str) -> str:
    return f"`{text}`" if text else "none"
