"""A whole deployment, and the faults that are not of Postgres, a subscription or a function."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from doctor.finding import Verdict
from local.emulators import Emulators
from tests.doctor.cloud import RESTART_PUBLISHER, RESTORE, Deployment, StubResponse

pytestmark = pytest.mark.emulators


def test_every_check_of_a_deployment_without_a_fault_is_ok(deployment: Deployment) -> None:
    assert {str(each) for each in deployment.examine() if each.verdict is not Verdict.OK} == set()


def test_exit_code_is_1_when_a_check_fails(deployment: Deployment) -> None:
    deployment.examine()  # writes the file
    command = [sys.executable, "-m", "doctor", str(deployment.file)]

    good = subprocess.run(command, capture_output=True, text=True, check=False)
    deployment.http.responses["/publisher/health"] = StubResponse(503, {"status": "down"})
    bad = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (good.returncode, bad.returncode) == (0, 1), good.stdout + good.stderr
    assert "✗" not in good.stdout
    assert good.stdout.endswith(" ok, 0 failed, 0 skipped\n")
    assert "✗ publisher cannot reach Postgres, and accepts no notifications\n    fix: doctl apps" in bad.stdout


def test_all_missing_variables_are_named_at_once(deployment: Deployment) -> None:
    for name in ("DATABASE_URL", "FUNCTION_URL_SMS", "PUSH_AUDIENCE"):
        del deployment.variables[name]

    (text, fix), *others = deployment.faults().items()

    assert text == ("configuration: Set these environment variables: DATABASE_URL, FUNCTION_URL_SMS, PUSH_AUDIENCE.")
    assert fix.startswith("{ terraform -chdir=terraform output -raw doctor_environment; echo ")
    assert fix.endswith(f"> {deployment.file} && make doctor DEPLOYMENT={deployment.file}")
    assert others == []


def test_other_rules_in_force_are_a_fault(deployment: Deployment) -> None:
    deployment.http.release_rules("rules_version = '2';\nservice cloud.firestore {}\n")

    ((text, fix),) = deployment.faults().items()

    assert text == (
        "Firestore's rules are not those of firestore.rules: line 2 in force is `service cloud.firestore {}`"
    )
    assert fix == RESTORE


def test_rules_that_were_never_released_are_a_fault(deployment: Deployment) -> None:
    del deployment.http.responses[f"/v1/projects/{deployment.http.project}/releases/cloud.firestore"]

    assert list(deployment.faults()) == [
        "Firestore's database (default) has no rules in force, so it denies every client"
    ]


def test_ledger_that_clients_may_read_is_a_fault(deployment: Deployment) -> None:
    deployment.http.release_rules("service cloud.firestore {}\n", "cloud.firestore/ledger")

    assert deployment.faults() == {
        "Firestore's rules are not those of firestore.ledger.rules: line 1 in force is `service cloud.firestore {}`": (
            RESTORE
        )
    }


def test_ledger_without_rules_is_a_fault(deployment: Deployment) -> None:
    del deployment.http.responses[f"/v1/projects/{deployment.http.project}/releases/cloud.firestore/ledger"]

    assert list(deployment.faults()) == ["Firestore's database ledger has no rules in force, so it denies every client"]


def test_rules_of_the_emulator_are_compared_too(deployment: Deployment, emulators: Emulators) -> None:
    deployment.variables["FIRESTORE_EMULATOR_HOST"] = emulators.firestore_host
    assert deployment.faults() == {}

    url = f"http://{emulators.firestore_host}/emulator/v1/projects/{deployment.http.project}:securityRules"
    open_to_all = "service cloud.firestore {match /databases/{d}/documents{match /{x=**}{allow read;}}}"
    rules = {"rules": {"files": [{"name": "firestore.rules", "content": open_to_all}]}}
    httpx.put(url, json=rules).raise_for_status()

    assert list(deployment.faults()) == [
        f"Firestore's rules are not those of firestore.rules: line 1 in force is `{open_to_all}`"
    ]


def test_publisher_that_cannot_publish_is_a_fault(deployment: Deployment) -> None:
    deployment.http.responses["/publisher/health"] = StubResponse(200, {"status": "degraded"})

    assert deployment.faults() == {
        "publisher cannot publish to Pub/Sub (unreachable, or no permission): it accepts notifications, and publishes"
        " them later": RESTORE
    }


def test_sweeper_that_does_not_run_is_a_fault(deployment: Deployment) -> None:
    deployment.http.responses["/publisher/health/sweep"] = StubResponse(503, {"status": "overdue"})

    assert deployment.faults() == {"publisher: work is long overdue, so the sweeper does not run": RESTART_PUBLISHER}


def test_publisher_that_accepts_a_push_without_a_token_is_a_fault(deployment: Deployment) -> None:
    deployment.http.responses["/publisher/internal/outcomes"] = StubResponse(204)

    assert deployment.faults() == {
        "publisher must refuse a push without a token (HTTP 401), and gave HTTP 204": RESTORE
    }


def test_publisher_clock_that_is_off_is_a_fault(deployment: Deployment) -> None:
    deployment.http.responses["/publisher/health"] = StubResponse(200, {"status": "ok"}, ahead=timedelta(seconds=60))

    ((text, fix),) = deployment.faults().items()

    assert text in {f"clock of the publisher is {seconds} s ahead of Google's" for seconds in (59, 60, 61)}
    assert fix == RESTART_PUBLISHER


def test_fix_for_missing_credentials_logs_in(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))

    faults = deployment.faults()

    assert [text.partition(":")[0] for text in faults] == ["the list of functions", "Firestore's rules"]
    assert set(faults.values()) == {"gcloud auth application-default login"}


def test_fix_for_a_missing_permission_grants_it(deployment: Deployment) -> None:
    project = deployment.http.project
    deployment.http.responses[f"/v1/projects/{project}/releases/cloud.firestore"] = StubResponse(403)

    assert deployment.faults() == {
        "Firestore's rules: your account may not read this (HTTP 403 from 127.0.0.1)": (
            f'gcloud projects add-iam-policy-binding {project} --member="user:$(gcloud config get account)"'
            " --role=roles/viewer --condition=None"
        )
    }
