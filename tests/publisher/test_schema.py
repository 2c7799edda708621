"""The API and its OpenAPI schema agree: schemathesis generates requests from the schema, with every check it has."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from publisher_api.web.inbox_tokens import InboxTokens
from tests.conftest import NewDatabase
from tests.publisher.own_inbox import INBOX, now
from tests.publisher.running import Publisher, create_api_key, serving

HERE = Path(__file__).parent
CASES = 60
SEED = 20261124
OWN_INBOX = "--include-path-regex=^/v1/(me|inbox(?!/live))"


@pytest.fixture
def database_url(new_database: NewDatabase) -> Iterator[str]:
    """A database of this test's own: the generated requests switch channels off and move their URLs."""
    with new_database("schema") as url:
        yield url


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("profile", "options"),
    [
        ("postgres", ["--exclude-path-regex=^/v1/(me|inbox)"]),
        ("postgres", [OWN_INBOX]),
        pytest.param("google", ["--include-path=/internal/outcomes"], marks=pytest.mark.emulators),
        pytest.param("google", [OWN_INBOX], marks=pytest.mark.emulators),
    ],
    ids=["postgres", "postgres-inbox", "google", "google-inbox"],
)
def test_every_answer_fits_the_schema_and_every_check_of_schemathesis(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path, profile: str, options: list[str]
) -> None:
    """The google profile has one route more, and reads the inbox elsewhere. A stream has no end, so it is left out."""
    publisher: Publisher = request.getfixturevalue(f"{profile}_publisher")
    key = create_api_key(database_url, "schemathesis")
    if OWN_INBOX in options:
        key, _ = InboxTokens(INBOX, now).issue("ada")
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        f"--config-file={HERE / 'schemathesis.toml'}",
        "run",
        "--phases=examples,coverage,fuzzing,stateful",
        f"--max-examples={CASES}",
        f"--seed={SEED}",
        "--continue-on-failure",
        "--generation-database=none",
        f"--header=Authorization: Bearer {key}",
        "--no-color",
        "--request-timeout=20",
        *options,
    ]
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "tests.publisher.schemathesis_hooks",
        "PYTHONPATH": str(HERE.parents[1]),
    }
    with serving(replace(publisher.settings, database_url=database_url)) as url:
        command.append(f"{url}/openapi.json")
        ended = subprocess.run(command, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr[-2_000:]
