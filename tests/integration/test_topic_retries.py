"""A publish call that Pub/Sub could not take is repeated once, at once: its deliveries must not wait for the sweep."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import grpc
import pytest
from google.pubsub_v1.types import PublishRequest, PublishResponse

from transport.port import Encoded, PublishError
from transport.pubsub import PubSubTopic, topic_path

PATH = topic_path("project", "things")


class ScriptedPubSub:
    """Answers each publish call with the next code of a script; after its end it stores what it gets."""

    def __init__(self, script: list[grpc.StatusCode]) -> None:
        self._script = script
        self.calls = 0
        self.stored: list[str] = []

    @property
    def handler(self) -> grpc.GenericRpcHandler:
        publish = grpc.unary_unary_rpc_method_handler(
            self.publish,
            request_deserializer=PublishRequest.deserialize,
            response_serializer=PublishResponse.serialize,
        )
        return grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", {"Publish": publish})

    def publish(self, request: PublishRequest, context: grpc.ServicerContext) -> PublishResponse:
        self.calls += 1
        if self._script:
            context.abort(self._script.pop(0), "scripted")
        self.stored += [message.data.decode() for message in request.messages]
        return PublishResponse(message_ids=[str(number) for number in range(len(request.messages))])


@contextmanager
def serving(*script: grpc.StatusCode) -> Iterator[tuple[PubSubTopic[str], ScriptedPubSub]]:
    pubsub = ScriptedPubSub(list(script))
    server = grpc.server(ThreadPoolExecutor(2), handlers=[pubsub.handler])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        topic = PubSubTopic[str](PATH, lambda text: Encoded(text.encode(), {}), emulator_host=f"127.0.0.1:{port}")
        with closing(topic):
            yield topic, pubsub
    finally:
        server.stop(None).wait()


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED], ids=lambda code: code.name)
def test_a_call_that_fails_once_is_repeated_at_once(code: grpc.StatusCode) -> None:
    with serving(code) as (topic, pubsub):
        assert list(topic.publish(["a", "b"])) == [["a", "b"]]
    assert (pubsub.calls, pubsub.stored) == (2, ["a", "b"])


@pytest.mark.parametrize(
    ("script", "calls"),
    [
        ([grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAVAILABLE], 2),
        ([grpc.StatusCode.RESOURCE_EXHAUSTED], 1),
        ([grpc.StatusCode.DEADLINE_EXCEEDED], 1),
    ],
    ids=["unavailable twice", "quota", "timeout"],
)
def test_other_failures_are_left_to_the_sweep(script: list[grpc.StatusCode], calls: int) -> None:
    with serving(*script) as (topic, pubsub), pytest.raises(PublishError):
        list(topic.publish(["a"]))
    assert (pubsub.calls, pubsub.stored) == (calls, [])
