"""Postgres is empty, newer than the code, or down. Each fault has the command that fixes it."""

import subprocess
import uuid
from pathlib import Path

import psycopg
import pytest

from local import postgres
from tests.doctor.cloud import Deployment

pytestmark = pytest.mark.emulators


def test_database_without_tables_is_a_fault(deployment: Deployment, postgres_server_url: str) -> None:
    with postgres.database(postgres_server_url, f"empty_{uuid.uuid4().hex[:8]}") as url:
        deployment.variables["DATABASE_URL"] = url
        faults = deployment.faults()

    migrate = ".venv/bin/python -m publisher_api.cli.migrate"
    assert faults == {
        "Postgres has no tables of Heliograph: it was never migrated": (
            f'DATABASE_URL="$(sed -n s/^DATABASE_URL=//p {deployment.file})"'
            f' DATABASE_CA_CERT="$(sed -n s/^DATABASE_CA_CERT=//p {deployment.file})" {migrate}'
        )
    }


def test_fix_for_a_database_without_tables_migrates_it(deployment: Deployment, postgres_server_url: str) -> None:
    with postgres.database(postgres_server_url, f"empty_{uuid.uuid4().hex[:8]}") as url:
        deployment.variables["DATABASE_URL"] = url
        (fix,) = deployment.faults().values()
        root = Path(__file__).parents[2]
        subprocess.run(["bash", "-c", fix], cwd=root, check=True, capture_output=True)  # noqa: S607 - as an operator would

        assert deployment.faults() == {}


def test_database_newer_than_this_code_is_fixed_by_newer_code(deployment: Deployment, postgres_server_url: str) -> None:
    with postgres.database(postgres_server_url, f"newer_{uuid.uuid4().hex[:8]}") as url:
        with psycopg.connect(url) as connection:
            connection.execute("create table alembic_version as select 'from_the_future' as version_num")
        deployment.variables["DATABASE_URL"] = url
        ((text, fix),) = deployment.faults().items()

    assert text.startswith("Postgres is at revision from_the_future, which this code does not contain")
    assert fix == "git pull"


def test_unreachable_database_is_a_fault_that_does_not_reveal_its_password(deployment: Deployment) -> None:
    deployment.variables["DATABASE_URL"] = "postgresql://ada:s3cret@127.0.0.1:1/heliograph"

    ((text, fix),) = deployment.faults().items()

    assert text.startswith("Postgres cannot be reached: ")
    assert "s3cret" not in text
    assert fix.startswith('doctl databases firewalls append "$(doctl databases list')
