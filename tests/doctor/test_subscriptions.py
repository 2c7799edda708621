"""Topics and subscriptions are damaged; each fault comes with the command that mends it."""

import httpx
import pytest
from google.pubsub_v1.types import Subscription

from local.emulators import Emulators
from shared.topology import TOPOLOGY
from tests.doctor.cloud import AUDIENCE, PUSH_ACCOUNT, RESTORE, Deployment

pytestmark = pytest.mark.emulators

EMAIL = TOPOLOGY["email"]


def update_email(deployment: Deployment, flags: str) -> str:
    return f"gcloud pubsub subscriptions update notifications-email --project={deployment.web.project} {flags}"


def test_a_missing_subscription_is_restored_by_terraform(deployment: Deployment) -> None:
    deployment.delete(EMAIL.subscription)

    assert deployment.faults() == {
        "subscription notifications-email is missing: nobody gets what is published to notifications for it": RESTORE
    }


def test_dead_letters_that_nobody_takes_are_a_fault(deployment: Deployment) -> None:
    deployment.delete(EMAIL.dead_letter_subscription)

    (what,) = deployment.faults()
    assert what == (
        f"subscription {EMAIL.dead_letter_subscription} is missing:"
        f" nobody gets what is published to {EMAIL.dead_letter_topic} for it"
    )


def test_a_missing_topic_is_found_and_what_hung_on_it_too(deployment: Deployment, emulators: Emulators) -> None:
    topic = f"projects/{deployment.web.project}/topics/notifications"
    httpx.delete(f"http://{emulators.pubsub_host}/v1/{topic}").raise_for_status()

    faults = deployment.faults()

    assert faults["topic notifications is missing"] == RESTORE
    hanging = "subscription notifications-sms: it hangs on the topic _deleted-topic_, not on notifications"
    assert faults[hanging] == RESTORE


def test_a_wrong_filter_is_replaced(deployment: Deployment) -> None:
    changed = deployment.subscription(EMAIL.subscription)
    changed.filter = 'attributes.channel = "mail"'
    deployment.replace(changed)

    assert deployment.faults() == {
        'subscription notifications-email: its filter is `attributes.channel = "mail"`,'
        ' not `attributes.channel = "email"`; a filter cannot be changed,'
        " so the subscription will be replaced and what waits in it is lost": RESTORE
    }


def test_a_subscription_without_policies_is_adjusted_setting_by_setting(deployment: Deployment) -> None:
    whole = deployment.subscription(EMAIL.subscription)
    bare = Subscription(
        name=whole.name, topic=whole.topic, filter=whole.filter, push_config=whole.push_config, ack_deadline_seconds=10
    )
    deployment.replace(bare)

    assert deployment.faults() == {
        "subscription notifications-email: it has no dead-letter topic, and should give up to notifications-email-dead"
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
    ("endpoint", "audience", "account", "what"),
    [
        ("", "audience", PUSH_ACCOUNT, "it pushes nowhere, and should to {url}"),
        ("{url}/old", "{url}", PUSH_ACCOUNT, "it pushes to {url}/old, not to {url}"),
        ("{url}", "https://old", PUSH_ACCOUNT, "its tokens are for the audience `https://old`, not {url}"),
        ("{url}", "{url}", "eve@shop.test", f"it pushes as eve@shop.test, not as {PUSH_ACCOUNT}"),
        ("{url}", "", "", "its pushes carry no token, so they are refused"),
    ],
)
def test_a_wrong_push_is_set_right(
    deployment: Deployment, endpoint: str, audience: str, account: str, what: str
) -> None:
    url = f"{deployment.web.url}/function/email"
    deployment.push(EMAIL.subscription, endpoint.format(url=url), audience.format(url=url), account)

    flags = f"--push-endpoint={url} --push-auth-service-account={PUSH_ACCOUNT} --push-auth-token-audience={url}"
    assert deployment.faults() == {
        f"subscription notifications-email: {what.format(url=url)}": update_email(deployment, flags)
    }


def test_outcomes_for_another_audience_are_a_fault(deployment: Deployment) -> None:
    deployment.variables["PUSH_AUDIENCE"] = "heliograph-publisher-stage"

    (what,) = deployment.faults()
    asked = f"its tokens are for the audience `{AUDIENCE}`, not heliograph-publisher-stage"
    assert what == f"subscription delivery-outcomes-publisher: {asked}"
