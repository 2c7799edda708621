"""The whole, and what is neither Postgres nor a subscription nor a function."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from doctor.finding import Verdict
from local.emulators import Emulators
from tests.doctor.cloud import RESTART_PUBLISHER, RESTORE, Deployment, Says

pytestmark = pytest.mark.emulators


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

    assert deployment.faults() == {"publisher: work is long overdue, so the sweep does not run": RESTART_PUBLISHER}


def test_a_publisher_that_takes_outcomes_from_anybody_is_a_fault(deployment: Deployment) -> None:
    deployment.web.answers["/publisher/internal/outcomes"] = Says(204)

    assert deployment.faults() == {"publisher should refuse (401) a push without a token, and says HTTP 204": RESTORE}


def test_a_clock_that_is_off_is_a_fault(deployment: Deployment) -> None:
    deployment.web.answers["/publisher/health"] = Says(200, {"status": "ok"}, ahead=timedelta(seconds=60))

    ((what, mend),) = deployment.faults().items()

    assert what in {f"clock of the publisher is {seconds} s ahead of Google's" for seconds in (59, 60, 61)}
    assert mend == RESTART_PUBLISHER


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
