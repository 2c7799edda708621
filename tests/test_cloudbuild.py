"""Checks Cloud Build's pipelines: their schema, their order, and that the files and targets they name exist."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from shared.topology import FUNCTIONS

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


def test_every_pipeline_has_a_trigger() -> None:
    declared = re.findall(
        r'file = "(cloudbuild[\w.]*\.yaml)"',
        (ROOT / "terraform/continuous_delivery.tf").read_text(encoding="utf-8"),
    )
    assert sorted(declared) == PIPELINES


@pytest.mark.parametrize("name", PIPELINES)
def test_pipeline_matches_cloud_builds_schema(name: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.cloudbuild", str(ROOT / name)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", PIPELINES)
def test_every_step_waits_for_earlier_steps_only(name: str) -> None:
    seen: set[str] = set()
    for each in read(name)["steps"]:
        assert each["waitFor"], f"{each['id']} has no waitFor, so it waits for every step before it"
        assert set(each["waitFor"]) - {"-"} <= seen, f"{each['id']} waits for a step that does not come before it"
        assert each["id"] not in seen
        seen.add(each["id"])


@pytest.mark.parametrize("name", PIPELINES)
def test_declared_secrets_are_those_that_steps_use(name: str) -> None:
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
def test_every_script_has_valid_syntax(where: str, script: str) -> None:
    shell = "bash" if "bash" in script.partition("\n")[0] else "sh"
    done = subprocess.run([shell, "-n"], input=script, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{where}: {done.stderr}"


@pytest.mark.parametrize("name", PIPELINES)
def test_every_make_target_exists(name: str) -> None:
    targets = set(re.findall(r"^([\w./-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {each["args"][0] for each in read(name)["steps"] if each.get("entrypoint") == "make"}
    assert named <= targets


@pytest.mark.parametrize(("where", "script"), scripts(), ids=lambda each: each.partition("\n")[0])
def test_every_module_in_a_script_exists(where: str, script: str) -> None:
    for module in re.findall(r"python -m ([\w.]+)", script):
        assert (ROOT / (module.replace(".", "/") + ".py")).exists(), f"{where} runs {module}"


def test_every_function_is_uploaded_before_the_plan() -> None:
    uploads = [each for each in read("cloudbuild.yaml")["steps"] if each["id"].startswith("upload-")]
    assert sorted(each["args"][1] for each in uploads) == sorted(FUNCTIONS)
    assert {each["args"][0] for each in uploads} == {"deploy/upload.sh"}
    assert {each["id"] for each in uploads} | {"release"} <= set(step("cloudbuild.yaml", "terraform-plan")["waitFor"])


def test_uploads_wait_for_the_tests() -> None:
    waits = {each["id"]: each["waitFor"] for each in read("cloudbuild.yaml")["steps"]}
    published = [waits[name] for name in waits if name == "image" or name.startswith("upload-")]
    assert published == [["test"]] * (len(FUNCTIONS) + 1)


def test_apply_uses_the_saved_plan() -> None:
    assert "-out=tfplan" in step("cloudbuild.yaml", "terraform-plan")["args"]
    saved = '"gs://$PROJECT_ID-terraform/plans/$COMMIT_SHA/tfplan"'
    assert f"cp terraform/tfplan {saved}" in step("cloudbuild.yaml", "keep")["script"]
    assert f"cp {saved} terraform/tfplan" in step("cloudbuild.apply.yaml", "fetch")["script"]
    assert "apply -input=false tfplan" in step("cloudbuild.apply.yaml", "apply")["script"]
    assert not any("plan" in each.get("args", []) for each in read("cloudbuild.apply.yaml")["steps"])


def test_release_is_recorded_even_if_the_smoke_test_fails() -> None:
    assert step("cloudbuild.apply.yaml", "apply")["waitFor"] == ["attempt"]
    assert step("cloudbuild.apply.yaml", "remember")["waitFor"] == ["apply"]
    assert "apply" in step("cloudbuild.apply.yaml", "smoke")["waitFor"]


def test_pull_request_pipeline_changes_nothing() -> None:
    text = (ROOT / "cloudbuild.pr.yaml").read_text(encoding="utf-8")
    assert "-lock=false" in text
    assert not re.search(r"\bapply\b|docker push|storage cp [^|\n]*\S+ \"?gs:|releases\.sh,? (?!present)", text)
    assert "heliograph-digitalocean-token" not in text, "that token has write access"
