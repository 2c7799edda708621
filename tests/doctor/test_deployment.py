"""A deployment is damaged on purpose; the doctor must say what is wrong, and by which command it is mended."""

import subprocess
import sys
import uuid
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from google.pubsub_v1.types import Subscription

from doctor.finding import Verdict
from doctor.settings import FUNCTIONS
from local import postgres
from local.emulators import Emulators
from shared.channels import CHANNELS
from tests.doctor.cloud import AUDIENCE, PUSH_ACCOUNT, REGION, Deployment, Says

pytestmark = pytest.mark.emulators

EMAIL = CHANNELS["email"]
RESTORE = (
    "terraform -chdir=terraform output -json release > terraform/release.tfvars.json &&"
    " terraform -chdir=terraform apply -var-file=environments/prod.tfvars -var-file=release.tfvars.json"
)


def update_email(deployment: Deployment, flags: str) -> str:
    return f"gcloud pubsub subscriptions update notifications-email --project={deployment.web.project} {flags}"


def restart_publisher(environment: str = "prod") -> str:
    listing = "doctl apps list --format ID,Spec.Name --no-header"
    return (
        f"""doctl apps create-deployment "$({listing} | awk '$2 == "heliograph-{environment}" {{print $1}}')" --wait"""
    )


def test_a_deployment_without_a_fault_is_fine_in_every_respect(deployment: Deployment) -> None:
    assert {str(one) for one in deployment.examined() if one.verdict is not Verdict.FINE} == set()


def test_the_command_says_by_its_exit_code_whether_all_is_well(deployment: Deployment) -> None:
    deployment.examined()  # writes the file
    command = [sys.executable, "-m", "doctor", str(deployment.file)]

    well = subprocess.run(command, capture_output=True, text=True, check=False)
    deployment.web.answers["/publisher/health"] = Says(503, {"status": "down"})
    ill = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (well.returncode, ill.returncode) == (0, 1), well.stdout + well.stderr
    assert "✗" not in well.stdout
    assert "✗ publisher cannot reach Postgres, and accepts nothing\n    mend: doctl apps" in ill.stdout


def test_every_missing_variable_is_named_at_once(deployment: Deployment) -> None:
    for name in ("DATABASE_URL", "FUNCTION_URL_SMS", "PUSH_AUDIENCE"):
        del deployment.variables[name]

    (what, mend), *others = deployment.faults().items()

    assert what == ("configuration: Set these environment variables: DATABASE_URL, FUNCTION_URL_SMS, PUSH_AUDIENCE.")
    assert mend.startswith("{ terraform -chdir=terraform output -raw doctor_environment; echo ")
    assert mend.endswith(f"> {deployment.file} && make doctor DEPLOYMENT={deployment.file}")
    assert others == []


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


def test_a_database_never_migrated_is_a_fault(deployment: Deployment, postgres_server_url: str) -> None:
    with postgres.database(postgres_server_url, f"bare_{uuid.uuid4().hex[:8]}") as url:
        deployment.variables["DATABASE_URL"] = url
        faults = deployment.faults()

    assert faults == {
        "Postgres holds no tables of Heliograph: it was never migrated": (
            f'DATABASE_URL="$(sed -n s/^DATABASE_URL=//p {deployment.file})" .venv/bin/python -m publisher_api.migrate'
        )
    }


def test_the_command_for_an_unmigrated_database_mends_it(deployment: Deployment, postgres_server_url: str) -> None:
    with postgres.database(postgres_server_url, f"bare_{uuid.uuid4().hex[:8]}") as url:
        deployment.variables["DATABASE_URL"] = url
        (mend,) = deployment.faults().values()
        root = Path(__file__).parents[2]
        subprocess.run(["bash", "-c", mend], cwd=root, check=True, capture_output=True)  # noqa: S607 - as a person would

        assert deployment.faults() == {}


def test_a_database_newer_than_this_code_is_told_from_an_old_one(
    deployment: Deployment, postgres_server_url: str
) -> None:
    with postgres.database(postgres_server_url, f"newer_{uuid.uuid4().hex[:8]}") as url:
        with psycopg.connect(url) as connection:
            connection.execute("create table alembic_version as select 'from_the_future' as version_num")
        deployment.variables["DATABASE_URL"] = url
        ((what, mend),) = deployment.faults().items()

    assert what.startswith("Postgres is at revision from_the_future, which this code does not know")
    assert mend == "git pull"


def test_a_database_that_is_away_is_a_fault_and_its_password_is_not_told(deployment: Deployment) -> None:
    deployment.variables["DATABASE_URL"] = "postgresql://ada:s3cret@127.0.0.1:1/heliograph"

    ((what, mend),) = deployment.faults().items()

    assert what.startswith("Postgres does not answer: ")
    assert "s3cret" not in what
    assert mend.startswith('doctl databases firewalls append "$(doctl databases list')


def test_a_function_that_is_down_is_a_fault(deployment: Deployment) -> None:
    deployment.variables["FUNCTION_URL_SMS"] = "http://127.0.0.1:1"
    listed = [deployment.web.listed(name) for name in FUNCTIONS if name != "sms"]
    deployment.web.list_functions(
        *listed, deployment.web.listed("sms") | {"serviceConfig": {"uri": "http://127.0.0.1:1"}}
    )
    deployment.push(CHANNELS["sms"].subscription, "http://127.0.0.1:1", "http://127.0.0.1:1")

    ((what, mend),) = deployment.faults().items()

    assert what.startswith("function sms does not answer: http://127.0.0.1:1: ")
    assert mend == RESTORE


def test_a_function_that_is_not_deployed_is_a_fault(deployment: Deployment) -> None:
    deployment.web.list_functions(*(deployment.web.listed(name) for name in FUNCTIONS if name != "dead_letter"))

    assert deployment.faults() == {"function dead_letter: heliograph-dead-letter is not deployed": RESTORE}


def test_a_function_that_fails_to_deploy_shows_its_logs(deployment: Deployment) -> None:
    listed = [deployment.web.listed(name) for name in FUNCTIONS if name != "push"]
    deployment.web.list_functions(*listed, deployment.web.listed("push", "FAILED"))

    project = deployment.web.project
    assert deployment.faults() == {
        "function push is FAILED, not ACTIVE": (
            f"gcloud run services logs read heliograph-push --project={project} --region={REGION} --limit=50"
        )
    }


def test_a_function_open_to_everybody_is_a_fault(deployment: Deployment) -> None:
    deployment.web.answers["/function/webhook"] = Says(400)

    project = deployment.web.project
    assert deployment.faults() == {
        "function webhook lets anybody in (HTTP 400 without a token)": (
            "gcloud run services remove-iam-policy-binding heliograph-webhook"
            f" --project={project} --region={REGION} --member=allUsers --role=roles/run.invoker"
        )
    }


def test_a_function_behind_internal_ingress_is_believed_to_be_active_by_googles_list(deployment: Deployment) -> None:
    deployment.web.answers["/function/email"] = Says(404)

    told = [one for one in deployment.examined() if "function email" in one.text]

    assert [one.verdict for one in told] == [Verdict.FINE]


def test_old_rules_in_force_are_a_fault(deployment: Deployment) -> None:
    deployment.web.release_rules("rules_version = '2';\nservice cloud.firestore {}\n")

    ((what, mend),) = deployment.faults().items()

    assert what == (
        "Firestore's rules are not those of firestore.rules: line 2 in force is `service cloud.firestore {}`"
    )
    assert mend == RESTORE


def test_rules_never_released_are_a_fault(deployment: Deployment) -> None:
    del deployment.web.answers[f"/v1/projects/{deployment.web.project}/releases/cloud.firestore"]

    assert list(deployment.faults()) == ["Firestore has no rules in force, so nobody can read an inbox"]


def test_the_emulators_rules_are_compared_too(deployment: Deployment, emulators: Emulators) -> None:
    deployment.variables["FIRESTORE_EMULATOR_HOST"] = emulators.firestore_host
    assert deployment.faults() == {}

    address = f"http://{emulators.firestore_host}/emulator/v1/projects/{deployment.web.project}:securityRules"
    open_to_all = "service cloud.firestore {match /databases/{d}/documents{match /{x=**}{allow read;}}}"
    rules = {"rules": {"files": [{"name": "firestore.rules", "content": open_to_all}]}}
    httpx.put(address, json=rules).raise_for_status()

    assert list(deployment.faults()) == [
        f"Firestore's rules are not those of firestore.rules: line 1 in force is `{open_to_all}`"
    ]


def test_a_publisher_that_cannot_reach_pubsub_is_a_fault(deployment: Deployment) -> None:
    deployment.web.answers["/publisher/health"] = Says(200, {"status": "degraded"})

    assert deployment.faults() == {
        "publisher cannot reach Pub/Sub, or may not publish: it accepts, and delivers later": RESTORE
    }


def test_an_outbox_that_nobody_sweeps_is_a_fault(deployment: Deployment) -> None:
    deployment.web.answers["/publisher/health/sweep"] = Says(503, {"status": "neglected"})

    assert deployment.faults() == {"publisher: work is long overdue, so the sweep does not run": restart_publisher()}


def test_a_publisher_that_takes_outcomes_from_anybody_is_a_fault(deployment: Deployment) -> None:
    deployment.web.answers["/publisher/internal/outcomes"] = Says(204)

    assert deployment.faults() == {"publisher should refuse (401) a push without a token, and says HTTP 204": RESTORE}


def test_a_clock_that_is_off_is_a_fault(deployment: Deployment) -> None:
    deployment.web.answers["/publisher/health"] = Says(200, {"status": "ok"}, ahead=timedelta(seconds=60))

    ((what, mend),) = deployment.faults().items()

    assert what in {f"clock of the publisher is {seconds} s ahead of Google's" for seconds in (59, 60, 61)}
    assert mend == restart_publisher()


def test_an_operator_who_is_not_logged_in_is_told_how(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nothing.json"))

    faults = deployment.faults()

    assert [what.partition(":")[0] for what in faults] == ["the list of functions", "Firestore's rules"]
    assert set(faults.values()) == {"gcloud auth application-default login"}


def test_an_operator_who_may_not_look_is_told_what_to_grant(deployment: Deployment) -> None:
    project = deployment.web.project
    deployment.web.answers[f"/v1/projects/{project}/releases/cloud.firestore"] = Says(403)

    assert deployment.faults() == {
        "Firestore's rules: Google does not let you look (HTTP 403 of 127.0.0.1)": (
            f'gcloud projects add-iam-policy-binding {project} --member="user:$(gcloud config get account)"'
            " --role=roles/viewer --condition=None"
        )
    }
