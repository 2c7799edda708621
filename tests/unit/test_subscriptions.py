import pytest

from shared.topology import (
    FUNCTIONS,
    OUTCOMES_SUBSCRIPTION,
    PUBLISHER,
    TOPOLOGY,
    ChannelTopology,
    DeadLetters,
    RetryProfile,
    Subscription,
    subscriptions,
    topics,
)


def by_name(profile: RetryProfile = RetryProfile.PRODUCTION) -> dict[str, Subscription]:
    return {subscription.name: subscription for subscription in subscriptions(profile)}


def test_every_subscription_reads_from_a_declared_topic() -> None:
    assert {subscription.topic for subscription in subscriptions()} <= set(topics())


def test_every_dead_letter_topic_has_a_subscription() -> None:
    dead_letter_topics = {each.dead_letters.topic for each in subscriptions() if each.dead_letters}

    assert dead_letter_topics <= {subscription.topic for subscription in subscriptions()}


@pytest.mark.parametrize("declared", TOPOLOGY.values(), ids=lambda declared: declared.channel_type)
def test_subscription_of_a_channel_type_has_the_declared_values(declared: ChannelTopology) -> None:
    subscription = by_name()[declared.subscription]

    assert subscription.filter == declared.filter
    assert subscription.backoff_seconds == declared.backoff_seconds
    assert subscription.ack_deadline_seconds == declared.ack_deadline_seconds
    assert subscription.dead_letters == DeadLetters(declared.dead_letter_topic, declared.attempts)


def test_names_are_unique() -> None:
    assert len(by_name()) == len(subscriptions())
    assert len(topics()) == len(set(topics()))


def test_every_function_and_the_publisher_are_the_target_of_a_subscription() -> None:
    targets = {subscription.target for subscription in subscriptions()}

    assert targets == {*FUNCTIONS, PUBLISHER, None}


@pytest.mark.parametrize("profile", [profile for profile in RetryProfile if profile is not RetryProfile.PRODUCTION])
def test_short_retry_profiles_stay_within_pubsubs_limits(profile: RetryProfile) -> None:
    production, short = by_name(), by_name(profile)
    assert short.keys() == production.keys()
    for name, subscription in short.items():
        if subscription.backoff_seconds is not None:
            assert subscription.backoff_seconds < (production[name].backoff_seconds or ())
        if subscription.dead_letters is not None:
            assert 5 <= subscription.dead_letters.attempts <= 100


@pytest.mark.parametrize("profile", RetryProfile)
def test_outcomes_get_the_maximum_of_attempts_in_every_profile(profile: RetryProfile) -> None:
    dead_letters = by_name(profile)[OUTCOMES_SUBSCRIPTION].dead_letters

    assert dead_letters is not None
    assert dead_letters.attempts == 100
