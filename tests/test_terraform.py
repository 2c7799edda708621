"""Runs Terraform's own tests, and compares the plan of the example environment with ``shared/topology.py``.

Terraform needs the providers' schemas. ``terraform init`` installs the providers, or the wrapper that TERRAFORM_OFFLINE
names supplies the schemas: its ``env`` command prints the variables with which terraform finds them on this machine.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy import terraform_docs
from functions.google.services import INBOX_DATABASE, LEDGER_DATABASE
from shared.lanes import Lane
from shared.topology import DEAD_LETTER, OUTCOMES_TOPIC, TOPOLOGY, ChannelTopology, subscriptions, topics
from tests.terraform_cli import Terraform, exports
from tests.terraform_plan import declared_settings, module_of, moves, of_type, planned_settings

ROOT = Path(__file__).parent.parent
MODULES = sorted(path.name for path in (ROOT / "terraform" / "modules").iterdir() if path.is_dir())
READ_BY_TERRAFORM = ("terraform", "shared", "firestore*")
SECRET_ROLE = "roles/secretmanager.secretAccessor"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    folder = tmp_path_factory.mktemp("terraform")
    for source in (path for pattern in READ_BY_TERRAFORM for path in ROOT.glob(pattern)):
        if source.is_dir():
            shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns(".terraform*", "__pycache__"))
        else:
            shutil.copy(source, folder / source.name)
    cache = tmp_path_factory.mktemp("providers")
    found = {"TF_PLUGIN_CACHE_DIR": str(cache), "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "1"}
    if wrapper := os.environ.get("TERRAFORM_OFFLINE"):
        found = exports(subprocess.run([wrapper, "env"], check=True, capture_output=True, text=True).stdout)
    return Terraform(folder, dict(os.environ) | {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"} | found)


@pytest.fixture(scope="module")
def plan(terraform: Terraform) -> dict[str, dict[str, Any]]:
    """The plan of the example environment: resource address → the planned values that are known."""
    terraform.init("-test-directory=graph")
    done = terraform.run(
        "test",
        "-json",
        "-verbose",
        "-test-directory=graph",
        "-filter=graph/example.tftest.hcl",
        "-var-file=environments/example.tfvars",
    )
    assert done.returncode == 0, done.stdout[-4000:]
    plans = [line["test_plan"] for line in map(json.loads, done.stdout.splitlines()) if line["type"] == "test_plan"]
    return {change["address"]: change["change"]["after"] for change in plans[0]["resource_changes"]}


@pytest.mark.parametrize("module", [".", *(f"modules/{name}" for name in MODULES)])
def test_module_passes_its_own_tests(terraform: Terraform, module: str) -> None:
    terraform.init(module=module)
    done = terraform.run("test", "-no-color", module=module)
    assert done.returncode == 0, done.stdout + done.stderr


def test_changed_rules_do_not_make_our_configuration_replace_their_release(
    terraform: Terraform, tmp_path: Path
) -> None:
    if "TERRAFORM_OFFLINE" not in os.environ:
        pytest.skip("this test applies; only the wrapper that TERRAFORM_OFFLINE names applies to nothing")
    module, state = "modules/firestore", f"-state={tmp_path}/state"
    rules = "service cloud.firestore {{ match /{} {{}} }}"
    given = ["-input=false", "-no-color", state, "-var=project_id=p", "-var=location=eur3"]
    given.append('-var=indexes={"indexes": [], "fieldOverrides": []}')
    terraform.init(module=module)
    applied = terraform.run("apply", "-auto-approve", *given, f"-var=rules={rules.format('a')}", module=module)
    assert applied.returncode == 0, applied.stderr
    planned = terraform.run("plan", *given, f"-var=rules={rules.format('b')}", f"-out={tmp_path}/plan", module=module)
    assert planned.returncode == 0, planned.stderr
    actions = terraform.actions(tmp_path / "plan", module)
    assert actions["google_firebaserules_ruleset.this"] != ["no-op"]
    assert "delete" not in actions["google_firebaserules_release.this"], "a deleted release denies every client"


def test_ledger_can_return_to_the_database_of_the_inboxes(terraform: Terraform, tmp_path: Path) -> None:
    if "TERRAFORM_OFFLINE" not in os.environ:
        pytest.skip("this test applies; only the wrapper that TERRAFORM_OFFLINE names applies to nothing")
    given = ["-input=false", "-no-color", "-var-file=environments/example.tfvars"]
    terraform.init_with_state(tmp_path / "state")
    applied = terraform.run("apply", "-auto-approve", *given)
    assert applied.returncode == 0, applied.stderr
    planned = terraform.run("plan", *given, "-var=ledger_database=(default)", f"-out={tmp_path}/plan")
    assert planned.returncode == 0, planned.stderr
    deleted = [address for address, actions in terraform.actions(tmp_path / "plan").items() if "delete" in actions]
    assert deleted
    assert [each for each in deleted if ".google_project_iam_member.firestore" not in each] == []


def test_configuration_is_formatted(terraform: Terraform) -> None:
    done = terraform.run("fmt", "-check", "-recursive", "-diff")
    assert done.returncode == 0, done.stdout


def test_every_module_has_tests() -> None:
    assert [name for name in MODULES if not list((ROOT / "terraform/modules" / name).glob("*.tftest.hcl"))] == []


@pytest.mark.parametrize("module", terraform_docs.modules(), ids=lambda module: module.name)
def test_readme_tables_match_variables_and_outputs(module: Path) -> None:
    readme = (module / "README.md").read_text(encoding="utf-8")
    assert terraform_docs.with_tables(readme, module) == readme, "run `python -m deploy.terraform_docs`"


@pytest.mark.parametrize("file", ["variables.tf", "outputs.tf"])
@pytest.mark.parametrize("module", terraform_docs.modules(), ids=lambda module: module.name)
def test_declarations_are_in_alphabetical_order(module: Path, file: str) -> None:
    names = re.findall(r'^(?:variable|output) "(\w+)"', (module / file).read_text(encoding="utf-8"), re.MULTILINE)
    assert names == sorted(names)


def test_planned_topics_and_subscriptions_are_those_of_topology(plan: dict[str, Any]) -> None:
    planned = {value["name"]: value for _, value in of_type(plan, "google_pubsub_subscription")}
    assert {value["name"] for _, value in of_type(plan, "google_pubsub_topic")} == set(topics())
    assert planned.keys() == {declared.name for declared in subscriptions()}
    for declared in subscriptions():
        assert planned_settings(planned[declared.name]) == declared_settings(declared), declared.name


@pytest.mark.parametrize("channel", TOPOLOGY.values(), ids=lambda channel: channel.channel_type)
def test_pubsub_may_move_dead_letters_which_are_kept_a_month(plan: dict[str, Any], channel: ChannelTopology) -> None:
    module = module_of(channel)
    agent = "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
    assert plan[f"{module}.google_pubsub_topic.dead"]["name"] == channel.dead_letter_topic
    assert plan[f"{module}.google_pubsub_subscription.dead"]["message_retention_duration"] == f"{31 * 24 * 3600}s"
    assert plan[f"{module}.google_pubsub_topic_iam_member.dead_publisher"]["member"] == agent
    for lane in Lane:
        assert plan[f'{module}.google_pubsub_subscription_iam_member.dead_subscriber["{lane}"]']["member"] == agent


def test_dead_letters_wait_longer_than_their_function_may_run(plan: dict[str, Any]) -> None:
    function = plan["module.dead_letter.google_cloudfunctions2_function.this"]["service_config"][0]
    deadlines = {declared.ack_deadline_seconds for declared in subscriptions() if declared.target == DEAD_LETTER}
    assert function["timeout_seconds"] < min(deadlines)


def test_every_moved_resource_is_planned_under_its_new_address_only(plan: dict[str, Any]) -> None:
    moved = list(moves())
    assert moved
    planned = [re.sub(r'(module\.\w+)\["\w+"\]', r"\1", address) for address in plan]  # the same for each channel type
    assert [old for old, _ in moved if any(address.endswith(old) for address in planned)] == []
    assert [new for _, new in moved if not any(address.endswith(new) for address in planned)] == []


@pytest.mark.parametrize("channel", TOPOLOGY.values(), ids=lambda channel: channel.channel_type)
def test_planned_function_matches_topology(plan: dict[str, Any], channel: ChannelTopology) -> None:
    function = plan[f"{module_of(channel)}.module.function.google_cloudfunctions2_function.this"]
    service = function["service_config"][0]
    assert function["build_config"][0]["entry_point"] == channel.channel_type
    assert (service["available_cpu"], service["available_memory"]) == (channel.cpu, channel.memory)
    assert service["timeout_seconds"] == channel.timeout_seconds < channel.ack_deadline_seconds
    assert service["max_instance_request_concurrency"] == channel.concurrency
    assert service["environment_variables"]["OUTCOMES_TOPIC"] == OUTCOMES_TOPIC


@pytest.mark.parametrize("channel", TOPOLOGY.values(), ids=lambda channel: channel.channel_type)
def test_function_may_read_only_its_own_secrets(plan: dict[str, Any], channel: ChannelTopology) -> None:
    module = f"{module_of(channel)}.module.function"
    reader = re.compile(re.escape(f'{module}.google_secret_manager_secret_iam_member.reader["') + r'(\w+)"\]')
    granted = {found[1] for address in plan if (found := reader.fullmatch(address))}
    variables = plan[f"{module}.google_cloudfunctions2_function.this"]["service_config"][0]
    optional = {"SMTP_URL"} if channel.channel_type == "email" else set()  # environments/example.tfvars sets it
    assert granted == set(channel.secrets) | optional
    assert {variable["key"] for variable in variables["secret_environment_variables"]} == granted


@pytest.mark.parametrize("function", [*TOPOLOGY, DEAD_LETTER])
def test_only_inapp_may_write_inboxes(plan: dict[str, Any], function: str) -> None:
    module = "module.dead_letter" if function == DEAD_LETTER else f"{module_of(TOPOLOGY[function])}.module.function"
    grants = {
        re.sub(r'.*/databases/(.*)"', r"\1", value["condition"][0]["expression"]): value["role"]
        for address, value in of_type(plan, "google_project_iam_member")
        if address.startswith(f"{module}.google_project_iam_member.firestore")
    }
    inbox = {"inapp": "roles/datastore.user", DEAD_LETTER: "roles/datastore.viewer"}.get(function)
    assert grants == {"ledger": "roles/datastore.user"} | ({"(default)": inbox} if inbox else {})
    variables = plan[f"{module}.google_cloudfunctions2_function.this"]["service_config"][0]["environment_variables"]
    assert (variables["INBOX_DATABASE"], variables["LEDGER_DATABASE"]) == (INBOX_DATABASE, LEDGER_DATABASE)


def test_no_account_may_read_all_secrets(plan: dict[str, Any]) -> None:
    assert [
        address for address, value in of_type(plan, "google_project_iam_member") if value["role"] == SECRET_ROLE
    ] == []


def test_every_function_has_its_own_account(plan: dict[str, Any]) -> None:
    accounts = [value["account_id"] for _, value in of_type(plan, "google_service_account")]
    functions = [value["name"] for _, value in of_type(plan, "google_cloudfunctions2_function")]
    assert len(accounts) == len(set(accounts))
    assert set(functions) <= set(accounts)
    assert len(functions) == len(TOPOLOGY) + 1


def test_every_function_has_one_invoker_that_is_not_public(plan: dict[str, Any]) -> None:
    invokers = list(of_type(plan, "google_cloud_run_service_iam_member"))
    assert len(invokers) == len(TOPOLOGY) + 1
    assert all(value.get("member") not in {"allUsers", "allAuthenticatedUsers"} for _, value in invokers)


def test_publisher_may_only_publish_to_the_topics_of_the_lanes(plan: dict[str, Any]) -> None:
    roles = {
        address: value["role"]
        for address, value in plan.items()
        if "_iam_" in address and "heliograph-publisher" in str(value.get("member"))
    }
    grants = {f'google_pubsub_topic_iam_member.publisher["{lane}"]' for lane in Lane}
    assert roles == dict.fromkeys(grants, "roles/pubsub.publisher")


def test_every_resource_with_labels_has_ours(plan: dict[str, Any]) -> None:
    unlabeled = [
        address
        for address, value in plan.items()
        if "labels" in value
        and "notification_channel" not in address  # its labels hold the e-mail address
        and (value["labels"] or {}).get("app") != "heliograph"
    ]
    assert unlabeled == []


def test_every_planned_alert_links_to_its_heading_in_the_handbook(plan: dict[str, Any]) -> None:
    handbook = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    alerts = {
        value["display_name"].removeprefix("Heliograph: "): value["documentation"][0]["content"]
        for _, value in of_type(plan, "google_monitoring_alert_policy")
    }
    assert len(alerts) == 8
    for title, content in alerts.items():
        assert f"\n### {title}\n" in handbook
        assert content.endswith(f"docs/operations.md#{title.lower().replace(' ', '-')}")
