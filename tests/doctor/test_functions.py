"""A function is down, public, broken or hidden. Each fault has the command that fixes it."""

import pytest

from doctor.finding import Verdict
from shared.topology import FUNCTIONS, subscriptions
from tests.doctor.cloud import REGION, RESTORE, Deployment, StubResponse

pytestmark = pytest.mark.emulators


def test_function_that_does_not_respond_is_a_fault(deployment: Deployment) -> None:
    deployment.variables["FUNCTION_URL_SMS"] = "http://127.0.0.1:1"
    listed = [deployment.http.listed(name) for name in FUNCTIONS if name != "sms"]
    moved = deployment.http.listed("sms") | {"serviceConfig": {"uri": "http://127.0.0.1:1"}}
    deployment.http.list_functions(*listed, moved)
    for name in (each.name for each in subscriptions() if each.target == "sms"):
        deployment.push(name, "http://127.0.0.1:1", "http://127.0.0.1:1")

    ((text, fix),) = deployment.faults().items()

    assert text.startswith("function sms does not respond: http://127.0.0.1:1: ")
    assert fix == RESTORE


def test_function_that_is_not_deployed_is_a_fault(deployment: Deployment) -> None:
    deployment.http.list_functions(*(deployment.http.listed(name) for name in FUNCTIONS if name != "dead_letter"))

    assert deployment.faults() == {"function dead_letter: heliograph-dead-letter is not deployed": RESTORE}


def test_fix_for_a_function_that_failed_to_deploy_shows_its_logs(deployment: Deployment) -> None:
    listed = [deployment.http.listed(name) for name in FUNCTIONS if name != "push"]
    deployment.http.list_functions(*listed, deployment.http.listed("push", "FAILED"))

    project = deployment.http.project
    assert deployment.faults() == {
        "function push is FAILED, not ACTIVE": (
            f"gcloud run services logs read heliograph-push --region={REGION} --project={project} --limit=50"
        )
    }


def test_function_that_accepts_everyone_is_a_fault(deployment: Deployment) -> None:
    deployment.http.responses["/function/webhook"] = StubResponse(400)

    project = deployment.http.project
    assert deployment.faults() == {
        "function webhook accepts a request without a token: HTTP 400": (
            f"gcloud run services remove-iam-policy-binding heliograph-webhook --region={REGION}"
            f" --project={project} --member=allUsers --role=roles/run.invoker"
        )
    }


def test_function_behind_internal_ingress_is_ok_when_googles_list_says_active(deployment: Deployment) -> None:
    deployment.http.responses["/function/email"] = StubResponse(404)

    found = [each for each in deployment.examine() if "function email" in each.text]

    assert [each.verdict for each in found] == [Verdict.OK]
