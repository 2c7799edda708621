import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from shared import topology

SHARED = Path(topology.__file__).parent
SCHEMA = json.loads((SHARED / "channels.schema.json").read_bytes())


def declaration() -> Any:
    return json.loads((SHARED / "channels.json").read_bytes())


def test_the_declaration_fits_its_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(declaration(), SCHEMA, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("attempts", 4),
        ("attempts", 101),
        ("providers", []),
        ("backoff_seconds", [10]),
        ("backoff_seconds", [10, 601]),
        ("timeout_seconds", 541),
        ("memory", "512M"),
        ("time_to_live_seconds", 604801),
        ("secrets", ["lower_case"]),
        ("invented", 1),
    ],
)
def test_the_schema_refuses_what_google_cloud_would(field: str, value: object) -> None:
    declared = declaration()
    declared["email"][field] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(declared, SCHEMA, cls=jsonschema.Draft202012Validator)


def test_a_field_that_is_not_known_is_refused_by_the_code_too() -> None:
    declared = declaration()
    declared["email"]["invented"] = 1
    with pytest.raises(msgspec.ValidationError, match="invented"):
        topology.parse(json.dumps(declared).encode())


@pytest.mark.parametrize("channel", topology.TOPOLOGY.values(), ids=topology.CHANNEL_TYPES)
def test_a_lease_outlives_the_function_and_so_does_the_acknowledgement_deadline(
    channel: topology.ChannelTopology,
) -> None:
    assert channel.lease_seconds > channel.ack_deadline_seconds > channel.timeout_seconds
