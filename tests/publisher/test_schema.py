"""The API and its OpenAPI schema agree: schemathesis generates requests from the schema, with every check it has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.publisher.running import Publisher

pytestmark = pytest.mark.emulators
HERE = Path(__file__).parent
CASES = 60
SEED = 20261124


@pytest.mark.timeout(600)
def test_every_answer_fits_the_schema_and_every_check_of_schemathesis(publisher: Publisher, tmp_path: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        f"--config-file={HERE / 'schemathesis.toml'}",
        "run",
        f"{publisher.url}/openapi.json",
        "--checks=all",
        "--phases=examples,coverage,fuzzing,stateful",
        f"--max-examples={CASES}",
        f"--seed={SEED}",
        "--continue-on-failure",
        "--generation-database=none",
        f"--header=Authorization: Bearer {publisher.api_key}",
        "--no-color",
        "--request-timeout=20",
    ]
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "tests.publisher.schemathesis_hooks",
        "PYTHONPATH": str(HERE.parents[1]),
    }
    ended = subprocess.run(command, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr[-2_000:]
