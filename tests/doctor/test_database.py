"""Postgres is empty, old, new or away; each comes with the command that mends it."""

import subprocess
import uuid
from pathlib import Path

import psycopg
import pytest

from local import postgres
from tests.doctor.cloud import Deployment

pytestmark = pytest.mark.emulators


def test_a_database_never_migrated_is_a_fault(deployment: Deployment, postgres_server_url: str) -> None:
    with postgres.database(postgres_server_url, f"bare_{uuid.uuid4().hex[:8]}") as url:
        deployment.variables["DATABASE_URL"] = url
        faults = deployment.faults()

    assert faults == {
        "Postgres holds no tables of Heliograph: it was never migrated": (
            f'DATABASE_URL="$(sed -n s/^DATABASE_URL=//p {deployment.file})" .venv/bin/python -m publisher_api.migrate'
        )
    }


def test_the_command_for_an_unmigrated_database_mends_it(deployment: Deployment, postgres_server_url: str) -> None:
    with postgres.database(postgres_server_url, f"bare_{uuid.uuid4().hex[:8]}") as url:
        deployment.variables["DATABASE_URL"] = url
        (mend,) = deployment.faults().values()
        root = Path(__file__).parents[2]
        subprocess.run(["bash", "-c", mend], cwd=root, check=True, capture_output=True)  # noqa: S607 - as a person would

        assert deployment.faults() == {}


def test_a_database_newer_than_this_code_is_told_from_an_old_one(
    deployment: Deployment, postgres_server_url: str
) -> None:
    with postgres.database(postgres_server_url, f"newer_{uuid.uuid4().hex[:8]}") as url:
        with psycopg.connect(url) as connection:
            connection.execute("create table alembic_version as select 'from_the_future' as version_num")
        deployment.variables["DATABASE_URL"] = url
        ((what, mend),) = deployment.faults().items()

    assert what.startswith("Postgres is at revision from_the_future, which this code does not know")
    assert mend == "git pull"


def test_a_database_that_is_away_is_a_fault_and_its_password_is_not_told(deployment: Deployment) -> None:
    deployment.variables["DATABASE_URL"] = "postgresql://ada:s3cret@127.0.0.1:1/heliograph"

    ((what, mend),) = deployment.faults().items()

    assert what.startswith("Postgres does not answer: ")
    assert "s3cret" not in what
    assert mend.startswith('doctl databases firewalls append "$(doctl databases list')
