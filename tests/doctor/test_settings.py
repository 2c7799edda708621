"""How the doctor reads a deployment's description, and which subscriptions it then expects."""

import re
from pathlib import Path

import pytest

from doctor.settings import Settings, function_variable, read_file
from doctor.topology import Push, expected_subscriptions
from local.config import StackConfig
from local.postgres import ROOT
from shared.errors import ConfigurationError
from shared.topology import CHANNEL_TYPES, RetryProfile, subscriptions


def described(folder: Path, profile: RetryProfile = RetryProfile.PRODUCTION) -> dict[str, str]:
    """The variables that the local stack writes for the doctor."""
    config = StackConfig(folder, "postgresql://postgres@/postgres?host=/run", retry_profile=profile)
    config.write_description_file()
    return read_file(config.description_file)


@pytest.mark.parametrize("profile", RetryProfile)
def test_local_subscriptions_have_the_retry_profile_of_the_stack_and_do_not_push(
    tmp_path: Path, profile: RetryProfile
) -> None:
    expected = expected_subscriptions(Settings.from_env(described(tmp_path, profile)))

    assert [(each.name, each.backoff_seconds, each.dead_letters) for each in expected] == [
        (each.name, each.backoff_seconds, each.dead_letters) for each in subscriptions(profile)
    ]
    assert {each.push for each in expected} == {None}


def test_deployed_subscriptions_push_to_the_url_of_their_target(tmp_path: Path) -> None:
    variables = described(tmp_path, RetryProfile.DEMO)
    del variables["PUSH_BRIDGE_URL"]
    settings = Settings.from_env(variables | {"PUSH_AUDIENCE": "publisher-prod", "PUSH_SERVICE_ACCOUNT": "push@shop"})

    pushes = {each.name: each.push for each in expected_subscriptions(settings)}

    sms, dead_letter = settings.functions["sms"], settings.functions["dead_letter"]
    outcomes = f"{settings.publisher_url}/internal/outcomes"
    assert pushes["notifications-sms"] == Push(sms, sms, "push@shop")
    assert pushes["notifications-sms-dead-function"] == Push(dead_letter, dead_letter, "push@shop")
    assert pushes["delivery-outcomes-publisher"] == Push(outcomes, "publisher-prod", "push@shop")
    assert pushes["delivery-outcomes-dead-kept"] is None


def test_unknown_retry_profile_is_refused_with_the_allowed_names(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^RETRY_PROFILE is 'HASTY'\. Set it to one of PRODUCTION, DEMO, "):
        Settings.from_env(described(tmp_path) | {"RETRY_PROFILE": "HASTY"})


def test_file_may_have_comments_and_values_are_literal(tmp_path: Path) -> None:
    file = tmp_path / "prod.env"
    file.write_text("# prod\n\nA=one two\nB=x=y # kept\n")

    assert read_file(file) == {"A": "one two", "B": "x=y # kept"}


def test_line_that_is_not_a_variable_is_refused_by_its_number(tmp_path: Path) -> None:
    file = tmp_path / "prod.env"
    file.write_text("A=1\nDATABASE URL\n")

    with pytest.raises(ConfigurationError, match=r"Line 2 of .*prod\.env is not NAME=value"):
        read_file(file)


def test_variables_that_are_not_urls_are_refused_by_name(tmp_path: Path) -> None:
    variables = described(tmp_path) | {"FUNCTION_URL_SMS": "sms.example", "PUBLISHER_URL": "ftp://x"}

    with pytest.raises(ConfigurationError, match="PUBLISHER_URL, FUNCTION_URL_SMS"):
        Settings.from_env(variables)


def test_terraform_outputs_everything_that_the_doctor_needs_except_the_database_url(tmp_path: Path) -> None:
    outputs = (ROOT / "terraform" / "outputs.tf").read_text()
    written = re.findall(r'"([A-Z_]+)=\$', outputs[outputs.index('output "doctor_environment"') :])
    has_url_of_each_channel_type = re.search(r"FUNCTION_URL_\$\{upper\(\w+\)\}=", outputs)
    functions = [function_variable(name) for name in CHANNEL_TYPES] if has_url_of_each_channel_type else []
    variables = described(tmp_path)

    with pytest.raises(ConfigurationError, match=r"^Set these environment variables: DATABASE_URL\.$"):
        Settings.from_env({name: variables.get(name, "prod") for name in (*written, *functions)})
