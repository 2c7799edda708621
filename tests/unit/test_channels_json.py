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


def test_declaration_is_valid_by_its_schema() -> None:
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
        ("shards", 0),
        ("shards", 65),
        ("invented", 1),
    ],
)
def test_schema_refuses_values_that_google_cloud_refuses(field: str, value: object) -> None:
    declared = declaration()
    declared["email"][field] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(declared, SCHEMA, cls=jsonschema.Draft202012Validator)


def test_parser_refuses_an_unknown_field() -> None:
    declared = declaration()
    declared["email"]["invented"] = 1
    with pytest.raises(msgspec.ValidationError, match="invented"):
        topology.parse(json.dumps(declared).encode())


@pytest.mark.parametrize("shards", [0, 65])
def test_parser_refuses_a_number_of_shards_that_the_schema_refuses(shards: int) -> None:
    declared = declaration()
    declared["email"]["shards"] = shards
    with pytest.raises(msgspec.ValidationError, match="shards"):
        topology.parse(json.dumps(declared).encode())


def test_a_channel_type_may_declare_shards_and_has_one_without() -> None:
    declared = declaration()
    declared["email"]["shards"] = 4
    jsonschema.validate(declared, SCHEMA, cls=jsonschema.Draft202012Validator)
    parsed = topology.parse(json.dumps(declared).encode())
    assert (parsed["email"].shards, parsed["sms"].shards) == (4, 1)


@pytest.mark.parametrize("channel_type", topology.TOPOLOGY.values(), ids=topology.CHANNEL_TYPES)
def test_lease_and_acknowledgement_deadline_are_longer_than_the_timeout(
    channel_type: topology.ChannelTopology,
) -> None:
    assert channel_type.lease_seconds > channel_type.ack_deadline_seconds > channel_type.timeout_seconds


def shared_subscriptions() -> Any:
    return json.loads((SHARED / "subscriptions.json").read_bytes())


@pytest.mark.parametrize(
    ("subscription", "field", "value"),
    [
        ("outcomes", "attempts", 101),
        ("outcomes_dead", "ack_deadline_seconds", 601),
        ("dead_letters", "ack_deadline_seconds", 9),
        ("dead_letters", "backoff_seconds", [10, 601]),
        ("dead_letters", "backoff_seconds", [10]),
        ("dead_letters", "invented", 1),
    ],
)
def test_parser_refuses_subscriptions_that_pubsub_refuses(subscription: str, field: str, value: object) -> None:
    declared = shared_subscriptions()
    topology.parse_shared(json.dumps(declared).encode())
    declared[subscription][field] = value
    with pytest.raises(msgspec.ValidationError, match=field):
        topology.parse_shared(json.dumps(declared).encode())
