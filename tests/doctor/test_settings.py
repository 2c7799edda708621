"""How a deployment is described, and what is asked of its subscriptions."""

import re
from pathlib import Path

import pytest

from doctor import topology as asked
from doctor.settings import Settings, function_variable, read_file
from local import topology as made
from local.layout import Layout
from local.postgres import ROOT
from local.topology import BRISK, PATIENT, Patience
from shared.errors import ConfigurationError
from shared.topology import CHANNEL_TYPES


def described(folder: Path, patience: Patience) -> dict[str, str]:
    """The variables that the local stack writes down."""
    layout = Layout(folder, "postgresql://postgres@/postgres?host=/run")
    layout.write_description_file(patience)
    return read_file(layout.description_file)


@pytest.mark.parametrize("patience", [PATIENT, BRISK])
def test_the_doctor_asks_for_the_subscriptions_that_the_local_stack_makes(tmp_path: Path, patience: Patience) -> None:
    settings = Settings.from_env(described(tmp_path, patience))

    assert asked.topics() == made.topics()
    for wanted, is_made in zip(asked.subscriptions(settings), made.subscriptions(patience), strict=True):
        assert (wanted.name, wanted.topic, wanted.filter) == (is_made.name, is_made.topic, is_made.filter)
        assert wanted.ack_deadline_seconds in (None, is_made.ack_deadline_seconds)
        assert wanted.backoff_seconds in (None, is_made.backoff_seconds)
        dead = asked.DeadLetters(is_made.dead_letter_topic, is_made.attempts) if is_made.dead_letter_topic else None
        assert wanted.dead_letters == dead


def test_a_file_may_hold_comments_and_values_stand_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "prod.env"
    file.write_text("# prod\n\nA=one two\nB=x=y # kept\n")

    assert read_file(file) == {"A": "one two", "B": "x=y # kept"}


def test_a_line_that_is_no_variable_is_refused_by_its_number(tmp_path: Path) -> None:
    file = tmp_path / "prod.env"
    file.write_text("A=1\nDATABASE URL\n")

    with pytest.raises(ConfigurationError, match=r"Line 2 of .*prod\.env is not NAME=value"):
        read_file(file)


def test_an_address_that_is_none_is_refused_by_its_name(tmp_path: Path) -> None:
    variables = described(tmp_path, PATIENT) | {"FUNCTION_URL_SMS": "sms.example", "PUBLISHER_URL": "ftp://x"}

    with pytest.raises(ConfigurationError, match="PUBLISHER_URL, FUNCTION_URL_SMS"):
        Settings.from_env(variables)


def test_terraform_tells_all_that_the_doctor_needs_but_the_password(tmp_path: Path) -> None:
    outputs = (ROOT / "terraform" / "outputs.tf").read_text()
    told = re.findall(r'"([A-Z_]+)=\$', outputs[outputs.index('output "doctor_environment"') :])
    functions = [function_variable(kind) for kind in CHANNEL_TYPES] if "FUNCTION_URL_${upper(kind)}=" in outputs else []
    variables = described(tmp_path, PATIENT)

    with pytest.raises(ConfigurationError, match=r"^Set these environment variables: DATABASE_URL\.$"):
        Settings.from_env({name: variables.get(name, "prod") for name in (*told, *functions)})
