"""Topics and subscriptions are missing or differ. Each fault has the command that fixes it."""

import httpx
import pytest
from google.pubsub_v1.types import Subscription

from local.emulators import Emulators
from shared.topology import OUTCOMES_DEAD_LETTER_SUBSCRIPTION, TOPOLOGY
from tests.doctor.cloud import AUDIENCE, PUSH_ACCOUNT, RESTORE, Deployment

pytestmark = pytest.mark.emulators

EMAIL = TOPOLOGY["email"]


def update_email(deployment: Deployment, flags: str) -> str:
    return f"gcloud pubsub subscriptions update notifications-email --project={deployment.http.project} {flags}"


def test_fix_for_a_missing_subscription_runs_terraform(deployment: Deployment) -> None:
    deployment.delete(EMAIL.subscription)

    assert deployment.faults() == {
        "subscription notifications-email is missing: what is published to notifications does not reach it": RESTORE
    }


def test_missing_subscription_for_dead_letters_is_a_fault(deployment: Deployment) -> None:
    deployment.delete(EMAIL.dead_letter_subscription)

    (text,) = deployment.faults()
    assert text == (
        f"subscription {EMAIL.dead_letter_subscription} is missing:"
        f" what is published to {EMAIL.dead_letter_topic} does not reach it"
    )


def test_missing_topic_is_a_fault_and_so_are_its_subscriptions(deployment: Deployment, emulators: Emulators) -> None:
    topic = f"projects/{deployment.http.project}/topics/notifications"
    httpx.delete(f"http://{emulators.pubsub_host}/v1/{topic}").raise_for_status()

    faults = deployment.faults()

    assert faults["topic notifications is missing"] == RESTORE
    detached = "subscription notifications-sms: it is attached to the topic _deleted-topic_, not to notifications"
    assert faults[detached] == RESTORE


def test_fix_for_a_different_filter_replaces_the_subscription(deployment: Deployment) -> None:
    changed = deployment.subscription(EMAIL.subscription)
    changed.filter = 'attributes.channel = "mail"'
    deployment.replace(changed)

    assert deployment.faults() == {
        'subscription notifications-email: its filter is `attributes.channel = "mail"`,'
        ' not `attributes.channel = "email"`; a filter cannot be changed,'
        " so the fix replaces the subscription and loses the messages that wait in it": RESTORE
    }


def test_each_setting_that_differs_has_its_own_fix(deployment: Deployment) -> None:
    declared = deployment.subscription(EMAIL.subscription)
    without_policies = Subscription(
        name=declared.name,
        topic=declared.topic,
        filter=declared.filter,
        push_config=declared.push_config,
        ack_deadline_seconds=10,
    )
    deployment.replace(without_policies)

    assert deployment.faults() == {
        "subscription notifications-email: it has no dead-letter topic; it needs notifications-email-dead"
        " after 60 attempts": update_email(
            deployment, "--dead-letter-topic=notifications-email-dead --max-delivery-attempts=60"
        ),
        "subscription notifications-email: its acknowledgement deadline is 10 s, not 70 s": update_email(
            deployment, "--ack-deadline=70"
        ),
        "subscription notifications-email: it retries at once, not after 10 to 600 s": update_email(
            deployment, "--min-retry-delay=10s --max-retry-delay=600s"
        ),
    }


@pytest.mark.parametrize(
    ("name", "declared"), [(EMAIL.dead_letter_subscription, 70), (OUTCOMES_DEAD_LETTER_SUBSCRIPTION, 600)]
)
def test_other_deadline_of_dead_letters_is_a_fault(deployment: Deployment, name: str, declared: int) -> None:
    changed = deployment.subscription(name)
    changed.ack_deadline_seconds = 10
    deployment.replace(changed)

    command = f"gcloud pubsub subscriptions update {name} --project={deployment.http.project}"
    assert deployment.faults() == {
        f"subscription {name}: its acknowledgement deadline is 10 s, not {declared} s": (
            f"{command} --ack-deadline={declared}"
        )
    }


@pytest.mark.parametrize(
    ("endpoint", "audience", "account", "difference"),
    [
        ("", "audience", PUSH_ACCOUNT, "it has no push endpoint; it needs {url}"),
        ("{url}/old", "{url}", PUSH_ACCOUNT, "it pushes to {url}/old, not to {url}"),
        ("{url}", "https://old", PUSH_ACCOUNT, "its tokens have the audience `https://old`, not `{url}`"),
        ("{url}", "{url}", "eve@shop.test", f"it pushes as eve@shop.test, not as {PUSH_ACCOUNT}"),
        ("{url}", "", "", "its pushes have no token, so they are refused"),
    ],
)
def test_fix_for_different_push_settings_sets_them(
    deployment: Deployment, endpoint: str, audience: str, account: str, difference: str
) -> None:
    url = f"{deployment.http.url}/function/email"
    deployment.push(EMAIL.subscription, endpoint.format(url=url), audience.format(url=url), account)

    flags = f"--push-endpoint={url} --push-auth-service-account={PUSH_ACCOUNT} --push-auth-token-audience={url}"
    assert deployment.faults() == {
        f"subscription notifications-email: {difference.format(url=url)}": update_email(deployment, flags)
    }


def test_other_audience_for_outcomes_is_a_fault(deployment: Deployment) -> None:
    deployment.variables["PUSH_AUDIENCE"] = "heliograph-publisher-stage"

    (text,) = deployment.faults()
    difference = f"its tokens have the audience `{AUDIENCE}`, not `heliograph-publisher-stage`"
    assert text == f"subscription delivery-outcomes-publisher: {difference}"
