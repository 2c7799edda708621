import json
from pathlib import Path

import msgspec
import pytest

from shared import envelope
from shared.attributes import attributes_of
from shared.channel_types import REGISTRY
from shared.envelope import Command, Delivery, decode, encode
from shared.errors import Undecodable
from shared.topology import CHANNEL_TYPES
from tests.factories import NOON, make_delivery

GOLDEN = Path(__file__).with_name("golden")


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_golden_bytes_of_every_version_decode(path: Path) -> None:
    message = decode(path.read_bytes())
    assert message.v == int(path.stem.rpartition(".v")[2])


@pytest.mark.parametrize("tag", ["delivery", "command"])
def test_current_version_is_still_encoded_to_the_golden_bytes(tag: str) -> None:
    golden = (GOLDEN / f"{tag}.v{envelope.VERSION}.json").read_bytes().rstrip(b"\n")
    assert encode(decode(golden)) == golden


def test_delivery_of_a_release_without_deferrals_was_never_deferred() -> None:
    message = decode((GOLDEN / "delivery-without-deferrals.v1.json").read_bytes())
    assert isinstance(message, Delivery)
    assert message.deferrals == 0


def test_every_version_has_its_golden_bytes() -> None:
    golden = {path.stem for path in GOLDEN.glob("*.json")}
    assert {f"{tag}.v{v}" for tag in ("delivery", "command") for v in range(1, envelope.VERSION + 1)} <= golden


def test_message_decodes_to_what_was_encoded() -> None:
    for message in (make_delivery(), Command(v=1, command="channels", at=NOON, channels={"sms": False}, version=3)):
        assert decode(encode(message)) == message


def test_unknown_fields_are_ignored() -> None:
    delivery = make_delivery()
    fields = json.loads(encode(delivery)) | {"added_later": {"a": 1}}
    assert decode(json.dumps(fields).encode()) == delivery


REQUIRED = [field.encode_name for field in msgspec.structs.fields(Delivery) if field.required]


@pytest.mark.parametrize("name", REQUIRED)
def test_message_without_a_required_field_is_undecodable(name: str) -> None:
    fields = json.loads(encode(make_delivery()))
    del fields[name]
    with pytest.raises(Undecodable, match=f"`{name}`"):
        decode(json.dumps(fields).encode())


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b'{"v": "one"}', b'{"v": 2}', b'{"v": 1, "type": "x"}'])
def test_malformed_message_is_undecodable(body: bytes) -> None:
    with pytest.raises(Undecodable):
        decode(body)


def test_decoding_error_contains_no_value_of_the_body() -> None:
    body = encode(make_delivery()).replace(b'"round":1', b'"round":"ada@example.com"')
    with pytest.raises(Undecodable) as caught:
        decode(body)
    assert "ada" not in str(caught.value)


@pytest.mark.parametrize("channel_type", CHANNEL_TYPES)
def test_content_of_another_shape_is_undecodable(channel_type: str) -> None:
    delivery, model = make_delivery(channel_type), REGISTRY[channel_type].content
    assert isinstance(delivery.content_as(model), model)
    with pytest.raises(Undecodable, match=delivery.delivery_id):
        msgspec.structs.replace(delivery, content={"unknown": "field"}).content_as(model)


@pytest.mark.parametrize(
    "message",
    [
        make_delivery(event_type="e" * 256, channel="s" * 64, priority=1000, round=99),
        Command(v=1, command="read", at=NOON, user_id="u" * 128, notification_ids=["n" * 36] * 1000),
    ],
)
def test_attributes_stay_under_pubsubs_limits(message: Delivery | Command) -> None:
    attributes = attributes_of(message)
    assert len(attributes) <= 100
    assert all(len(name.encode()) <= 256 and len(value.encode()) <= 1024 for name, value in attributes.items())


def test_attributes_contain_no_personal_data() -> None:
    delivery = make_delivery()
    assert not {delivery.recipient, delivery.user_id} & set(attributes_of(delivery).values())


def test_commands_are_routed_to_the_inapp_function() -> None:
    assert attributes_of(Command(v=1, command="channels", at=NOON))["channel"] == "inapp"
