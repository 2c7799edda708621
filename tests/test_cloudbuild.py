"""The pipelines: what Cloud Build's schema cannot know, and that the files they name are there."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from local.bundle import FUNCTIONS

ROOT = Path(__file__).parent.parent
PIPELINES = sorted(path.name for path in ROOT.glob("cloudbuild*.yaml"))
BUILT_IN = {"PROJECT_ID", "COMMIT_SHA", "PROJECT_NUMBER", "BUILD_ID", "BRANCH_NAME", "SHORT_SHA"}


def read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe").load((ROOT / name).read_text(encoding="utf-8"))
    return document


def step(pipeline: str, step_id: str) -> dict[str, Any]:
    [found] = [each for each in read(pipeline)["steps"] if each["id"] == step_id]
    return dict(found)


def scripts() -> list[tuple[str, str]]:
    inside = [
        (f"{name}:{each['id']}", each["script"])
        for name in PIPELINES
        for each in read(name)["steps"]
        if "script" in each
    ]
    return inside + [(path.name, path.read_text(encoding="utf-8")) for path in sorted((ROOT / "deploy").glob("*.sh"))]


def test_there_is_one_pipeline_for_each_trigger() -> None:
    declared = re.findall(
        r'file = "(cloudbuild[\w.]*\.yaml)"', (ROOT / "terraform/delivery.tf").read_text(encoding="utf-8")
    )
    assert sorted(declared) == PIPELINES


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_is_what_cloud_build_reads(name: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.cloudbuild", str(ROOT / name)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", PIPELINES)
def test_every_step_says_what_it_waits_for_and_that_step_stands_before_it(name: str) -> None:
    seen: set[str] = set()
    for each in read(name)["steps"]:
        assert each["waitFor"], f"{each['id']} waits for everything before it without saying so"
        assert set(each["waitFor"]) - {"-"} <= seen, f"{each['id']} waits for a step that is not above it"
        assert each["id"] not in seen
        seen.add(each["id"])


@pytest.mark.parametrize("name", PIPELINES)
def test_every_secret_a_step_uses_is_declared_and_the_other_way_round(name: str) -> None:
    pipeline = read(name)
    declared = {secret["env"] for secret in pipeline["availableSecrets"]["secretManager"]}
    used = {secret for each in pipeline["steps"] for secret in each.get("secretEnv", [])}
    assert used == declared


@pytest.mark.parametrize("name", PIPELINES)
def test_every_substitution_is_declared(name: str) -> None:
    pipeline = read(name)
    substituted = [
        str(value)
        for each in pipeline["steps"]
        for value in (*each.get("args", []), *each.get("env", []), each["name"])
    ]
    used = set(re.findall(r"\$\{?(\w+)", " ".join(substituted)))
    assert used <= BUILT_IN | set(pipeline["substitutions"])


@pytest.mark.parametrize(("where", "script"), scripts(), ids=lambda each: each.partition("\n")[0])
def test_every_script_can_be_read_by_the_shell(where: str, script: str) -> None:
    shell = "bash" if "bash" in script.partition("\n")[0] else "sh"
    done = subprocess.run([shell, "-n"], input=script, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{where}: {done.stderr}"


@pytest.mark.parametrize("name", PIPELINES)
def test_every_make_target_exists(name: str) -> None:
    targets = set(re.findall(r"^([\w./-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    asked = {each["args"][0] for each in read(name)["steps"] if each.get("entrypoint") == "make"}
    assert asked <= targets


@pytest.mark.parametrize(("where", "script"), scripts(), ids=lambda each: each.partition("\n")[0])
def test_every_module_a_script_runs_exists(where: str, script: str) -> None:
    for module in re.findall(r"python -m ([\w.]+)", script):
        assert (ROOT / (module.replace(".", "/") + ".py")).exists(), f"{where} runs {module}"


def test_every_function_is_uploaded_and_the_plan_waits_for_all() -> None:
    uploads = [each for each in read("cloudbuild.yaml")["steps"] if each["id"].startswith("upload-")]
    assert sorted(each["args"][1] for each in uploads) == sorted(FUNCTIONS)
    assert {each["args"][0] for each in uploads} == {"deploy/upload.sh"}
    assert {each["id"] for each in uploads} | {"release"} <= set(step("cloudbuild.yaml", "terraform-plan")["waitFor"])


def test_nothing_leaves_this_machine_before_the_tests_have_passed() -> None:
    waits = {each["id"]: each["waitFor"] for each in read("cloudbuild.yaml")["steps"]}
    assert all(waits[name] == ["test"] for name in waits if name == "image" or name.startswith("upload-"))


def test_the_plan_that_was_kept_is_the_plan_that_is_applied() -> None:
    assert "-out=tfplan" in step("cloudbuild.yaml", "terraform-plan")["args"]
    kept = '"gs://$PROJECT_ID-terraform/plans/$COMMIT_SHA/tfplan"'
    assert f"cp terraform/tfplan {kept}" in step("cloudbuild.yaml", "keep")["script"]
    assert f"cp {kept} terraform/tfplan" in step("cloudbuild.apply.yaml", "fetch")["script"]
    assert "apply -input=false tfplan" in step("cloudbuild.apply.yaml", "apply")["script"]
    assert not any("plan" in each.get("args", []) for each in read("cloudbuild.apply.yaml")["steps"])


def test_a_failed_smoke_test_still_leaves_something_to_go_back_to() -> None:
    assert step("cloudbuild.apply.yaml", "apply")["waitFor"] == ["attempt"]
    assert step("cloudbuild.apply.yaml", "remember")["waitFor"] == ["apply"]
    assert "apply" in step("cloudbuild.apply.yaml", "smoke")["waitFor"]


def test_a_pull_request_changes_nothing() -> None:
    everything = (ROOT / "cloudbuild.pr.yaml").read_text(encoding="utf-8")
    assert "-lock=false" in everything
    assert not re.search(r"\bapply\b|docker push|storage cp [^|\n]*\S+ \"?gs:|releases\.sh,? (?!present)", everything)
    assert "heliograph-digitalocean-token" not in everything, "that token can write"
