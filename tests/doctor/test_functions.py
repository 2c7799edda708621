"""Functions are away, open, broken or hidden; each comes with the command that mends it."""

import pytest

from doctor.finding import Verdict
from doctor.settings import FUNCTIONS
from shared.topology import TOPOLOGY
from tests.doctor.cloud import REGION, RESTORE, Deployment, Says

pytestmark = pytest.mark.emulators


def test_a_function_that_is_down_is_a_fault(deployment: Deployment) -> None:
    deployment.variables["FUNCTION_URL_SMS"] = "http://127.0.0.1:1"
    listed = [deployment.web.listed(name) for name in FUNCTIONS if name != "sms"]
    deployment.web.list_functions(
        *listed, deployment.web.listed("sms") | {"serviceConfig": {"uri": "http://127.0.0.1:1"}}
    )
    deployment.push(TOPOLOGY["sms"].subscription, "http://127.0.0.1:1", "http://127.0.0.1:1")

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
