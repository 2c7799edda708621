import pytest

from shared.topology import (
    DEAD_LETTER,
    FUNCTIONS,
    NOTIFICATIONS_TOPIC,
    OUTCOMES_SUBSCRIPTION,
    PUBLISHER,
    TOPOLOGY,
    ChannelTopology,
    RetryProfile,
    Subscription,
    subscriptions,
    topics,
)


def subscription_named(name: str, profile: RetryProfile = RetryProfile.PRODUCTION) -> Subscription:
    (found,) = [subscription for subscription in subscriptions(profile) if subscription.name == name]
    return found


def test_every_subscription_reads_from_a_declared_topic() -> None:
    assert {subscription.topic for subscription in subscriptions()} <= set(topics())


def test_every_dead_letter_topic_is_read_by_a_subscription() -> None:
    dead_letter_topics = {each.dead_letters.topic for each in subscriptions() if each.dead_letters}
    assert dead_letter_topics
    assert dead_letter_topics <= {subscription.topic for subscription in subscriptions()}


@pytest.mark.parametrize("channel_type", TOPOLOGY.values(), ids=list(TOPOLOGY))
def test_subscription_of_a_channel_type_has_what_is_declared(channel_type: ChannelTopology) -> None:
    subscription = subscription_named(channel_type.subscription)
    assert (subscription.topic, subscription.target) == (NOTIFICATIONS_TOPIC, channel_type.channel_type)
    assert subscription.filter == f'attributes.channel = "{channel_type.channel_type}"'
    assert subscription.backoff_seconds == channel_type.backoff_seconds
    assert subscription.ack_deadline_seconds == channel_type.ack_deadline_seconds
    assert subscription.concurrency == channel_type.concurrency
    assert subscription.shards == channel_type.shards
    assert subscription.dead_letters is not None
    assert subscription.dead_letters.topic == channel_type.dead_letter_topic
    assert subscription.dead_letters.attempts == channel_type.attempts


@pytest.mark.parametrize("channel_type", TOPOLOGY.values(), ids=list(TOPOLOGY))
def test_dead_letters_of_a_channel_type_go_to_the_dead_letter_function(channel_type: ChannelTopology) -> None:
    subscription = subscription_named(channel_type.dead_letter_subscription)
    assert (subscription.topic, subscription.target) == (channel_type.dead_letter_topic, DEAD_LETTER)
    assert subscription.dead_letters is None, "a dead letter is kept until its function acknowledges it"


def test_every_target_is_a_function_or_the_publisher() -> None:
    assert {subscription.target for subscription in subscriptions()} - {None} == {*FUNCTIONS, PUBLISHER}


def test_names_are_unique() -> None:
    names = [subscription.name for subscription in subscriptions()]
    assert len(names) == len(set(names))
    assert len(topics()) == len(set(topics()))


@pytest.mark.parametrize("profile", RetryProfile)
def test_retry_profile_only_shortens_backoffs_and_attempts_within_pubsubs_limits(profile: RetryProfile) -> None:
    for patient, shortened in zip(subscriptions(), subscriptions(profile), strict=True):
        if patient.backoff_seconds is None or shortened.backoff_seconds is None:
            assert patient.backoff_seconds == shortened.backoff_seconds
        else:
            assert shortened.backoff_seconds <= patient.backoff_seconds
        assert (patient.dead_letters is None) == (shortened.dead_letters is None)
        if patient.dead_letters and shortened.dead_letters:
            assert 5 <= shortened.dead_letters.attempts <= patient.dead_letters.attempts


@pytest.mark.parametrize("profile", RetryProfile)
def test_outcomes_get_as_many_attempts_as_pubsub_allows_in_every_retry_profile(profile: RetryProfile) -> None:
    dead_letters = subscription_named(OUTCOMES_SUBSCRIPTION, profile).dead_letters
    assert dead_letters is not None
    assert dead_letters.attempts == 100
