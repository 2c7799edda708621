"""Checks that every topic exists and every subscription is as declared."""

from collections.abc import Iterator, Sequence

from doctor.checks.unknown import check_unknown
from doctor.facts import Response, Topology, Unknown, Unreachable
from doctor.finding import Finding, failed, ok, skipped
from doctor.remedies import Fault, Remedies, fill
from doctor.topology import PushSubscription

_SAME_SECONDS = 0.001


def check_topology(
    topics: Sequence[str], expected: Sequence[PushSubscription], found: Topology | Unknown, remedies: Remedies
) -> Iterator[Finding]:
    if not isinstance(found, Topology):
        yield check_unknown("Pub/Sub", found, remedies)
        yield skipped(f"{len(topics)} topics and {len(expected)} subscriptions: unknown without Pub/Sub")
        return
    for topic in topics:
        if topic in found.topics:
            yield ok(f"topic {topic}")
        else:
            yield failed(f"topic {topic} is missing", remedies[Fault.MISSING])
    for subscription in expected:
        yield from check_subscription(subscription, found.subscriptions.get(subscription.name), remedies)


def check_subscription(expected: PushSubscription, found: PushSubscription | None, remedies: Remedies) -> list[Finding]:
    """One finding for each setting that differs, or one finding that the subscription is as declared."""
    name = f"subscription {expected.name}"
    if found is None:
        text = f"{name} is missing: what is published to {expected.topic} does not reach it"
        return [failed(text, remedies[Fault.MISSING])]
    replace, update = remedies[Fault.MISSING], remedies[Fault.SUBSCRIPTION_DIFFERS]
    differences = [
        *((text, replace) for text in _fixed_settings(expected, found)),
        *(
            (text, fill(update, subscription=expected.name, flags=" ".join(flags)))
            for compare in (_dead_letters, _timing, _push)
            for text, flags in compare(expected, found)
        ),
    ]
    return [failed(f"{name}: {text}", fix) for text, fix in differences] or [ok(f"{name}: {_summary(expected)}")]


def _fixed_settings(expected: PushSubscription, found: PushSubscription) -> Iterator[str]:
    """Differences in settings that Pub/Sub cannot change."""
    if found.topic != expected.topic:
        yield f"it is attached to the topic {found.topic}, not to {expected.topic}"
    if found.filter != expected.filter:
        yield (
            f"its filter is {_or_none(found.filter)}, not {_or_none(expected.filter)}; a filter cannot be changed,"
            " so the fix replaces the subscription and loses the messages that wait in it"
        )


def _dead_letters(expected: PushSubscription, found: PushSubscription) -> Iterator[tuple[str, list[str]]]:
    """Differences, each with the flags of ``gcloud`` that correct it."""
    if expected.dead_letters is None or expected.dead_letters == found.dead_letters:
        return
    topic, attempts = expected.dead_letters.topic, expected.dead_letters.attempts
    flags = [f"--dead-letter-topic={topic}", f"--max-delivery-attempts={attempts}"]
    if found.dead_letters is None:
        yield f"it has no dead-letter topic; it needs {topic} after {attempts} attempts", flags
        return
    found_topic, after = found.dead_letters.topic, found.dead_letters.attempts
    yield f"its dead-letter topic is {found_topic} after {after} attempts, not {topic} after {attempts}", flags


def _timing(expected: PushSubscription, found: PushSubscription) -> Iterator[tuple[str, list[str]]]:
    """As ``_dead_letters``."""
    deadline = expected.ack_deadline_seconds
    if found.ack_deadline_seconds != deadline:
        text = f"its acknowledgement deadline is {found.ack_deadline_seconds} s, not {deadline} s"
        yield text, [f"--ack-deadline={deadline}"]
    if expected.backoff_seconds is not None and not _is_same(expected.backoff_seconds, found.backoff_seconds):
        shortest, longest = expected.backoff_seconds
        text = f"it retries {_backoff(found.backoff_seconds)}, not {_backoff(expected.backoff_seconds)}"
        yield text, [f"--min-retry-delay={shortest:g}s", f"--max-retry-delay={longest:g}s"]


def _push(expected: PushSubscription, found: PushSubscription) -> Iterator[tuple[str, list[str]]]:
    """As ``_dead_letters``."""
    if expected.push is None:
        return
    endpoint, audience, account = expected.push.endpoint, expected.push.audience, expected.push.service_account
    flags = [
        f"--push-endpoint={endpoint}",
        f"--push-auth-service-account={account}",
        f"--push-auth-token-audience={audience}",
    ]
    if found.push is None:
        yield f"it has no push endpoint; it needs {endpoint}", flags
        return
    if found.push.endpoint != endpoint:
        yield f"it pushes to {found.push.endpoint}, not to {endpoint}", flags
    if not found.push.service_account:
        yield "its pushes have no token, so they are refused", flags
        return
    if found.push.audience != audience:
        yield f"its tokens have the audience {_or_none(found.push.audience)}, not `{audience}`", flags
    if found.push.service_account != account:
        yield f"it pushes as {found.push.service_account}, not as {account}", flags


def check_bridge(found: Response | Unreachable | None, remedies: Remedies) -> Iterator[Finding]:
    """Check the push bridge, which pushes instead of Google on one machine. A deployment has none."""
    if found is None:
        return
    yield skipped(
        "push endpoint, audience and account of subscriptions: on one machine the push bridge pulls and pushes"
    )
    match found:
        case Response(status=200):
            yield ok("push bridge pulls every subscription")
        case Response(body=body):
            stopped = ", ".join(str(path).rpartition("/")[2] for path in body.get("stopped", []))
            yield failed(f"push bridge no longer pulls: {stopped}", remedies[Fault.MISSING])
        case Unreachable(reason):
            yield failed(f"push bridge does not respond: {reason}", remedies[Fault.MISSING])


def _summary(expected: PushSubscription) -> str:
    parts = [expected.filter or f"every message of {expected.topic}"]
    if expected.push:
        audience = "the same URL" if expected.push.audience == expected.push.endpoint else expected.push.audience
        parts.append(f"pushes to {expected.push.endpoint} with a token for {audience}")
    if expected.backoff_seconds:
        parts.append(f"retries {_backoff(expected.backoff_seconds)}")
    parts.append(f"deadline {expected.ack_deadline_seconds} s")
    if expected.dead_letters:
        parts.append(f"dead letters to {expected.dead_letters.topic} after {expected.dead_letters.attempts} attempts")
    return ", ".join(parts)


def _is_same(expected: tuple[float, float], found: tuple[float, float] | None) -> bool:
    """No backoff is equal to (0, 0): that is how the emulator gets a retry profile with a factor of 0."""
    pairs = zip(expected, found or (0.0, 0.0), strict=True)
    return all(abs(one - other) < _SAME_SECONDS for one, other in pairs)


def _backoff(seconds: tuple[float, float] | None) -> str:
    return "at once" if seconds is None else f"after {seconds[0]:g} to {seconds[1]:g} s"


def _or_none(text: str) -> str:
    return f"`{text}`" if text else "none"
