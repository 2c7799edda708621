import pytest

from local.pubsub_setup import IMPATIENT, PATIENT, subscriptions, topics
from shared.topology import OUTCOMES_SUBSCRIPTION, TOPOLOGY, ChannelTopology


def test_every_subscription_reads_from_a_topic_that_is_made() -> None:
    assert {subscription.topic for subscription in subscriptions()} <= set(topics())


def test_every_dead_letter_topic_is_read_by_a_subscription() -> None:
    given_up = {subscription.dead_letter_topic for subscription in subscriptions()} - {None}

    assert given_up <= {subscription.topic for subscription in subscriptions()}


@pytest.mark.parametrize("channel", TOPOLOGY.values(), ids=lambda channel: channel.kind)
def test_a_channel_is_subscribed_to_as_it_is_declared(channel: ChannelTopology) -> None:
    (made,) = [subscription for subscription in subscriptions() if subscription.name == channel.subscription]

    assert made.filter == channel.filter
    assert made.attempts == channel.attempts
    assert made.backoff_seconds == channel.backoff_seconds
    assert made.ack_deadline_seconds == channel.ack_deadline_seconds
    assert made.dead_letter_topic == channel.dead_letter_topic


def test_names_are_never_used_twice() -> None:
    names = [subscription.name for subscription in subscriptions()]

    assert len(names) == len(set(names))
    assert len(topics()) == len(set(topics()))


def test_impatience_shortens_every_wait_and_never_goes_below_what_pubsub_allows() -> None:
    for patient, impatient in zip(subscriptions(PATIENT), subscriptions(IMPATIENT), strict=True):
        assert impatient.backoff_seconds <= patient.backoff_seconds
        assert 5 <= impatient.attempts <= patient.attempts


def test_outcomes_are_tried_as_long_as_pubsub_allows_even_in_impatience() -> None:
    (outcomes,) = [one for one in subscriptions(IMPATIENT) if one.name == OUTCOMES_SUBSCRIPTION]

    assert outcomes.attempts == 100
