"""How many streams of the live inbox a user and a process may have."""

from contextlib import ExitStack
from dataclasses import replace

import httpx
import pytest

from publisher_api.live.limits import LiveLimits
from shared.errors import ConfigurationError
from shared.log_events import LogEvent
from tests.publisher.listening import Protocol, Socket, Sse, each_protocol
from tests.publisher.own_inbox import OwnInbox
from tests.publisher.running import problem_of, serving
from tests.publisher.topic import waiting_for


def refused(protocol: Protocol, url: str, token: str) -> bool:
    """Whether one more stream is refused with its status and header, or its code."""
    if protocol is Socket:
        with Socket(url, token) as listener:
            return listener.next()[:2] == ("end", 1013)
    try:
        with Sse(url, token) as listener:
            assert listener.next().name == "snapshot"
            return False
    except httpx.HTTPStatusError as error:
        response = error.response
    assert problem_of(response)[:2] == (429, "too_many_streams")
    assert int(response.headers["retry-after"]) > 0
    return True


@each_protocol
@pytest.mark.parametrize(
    ("limits", "others_too"),
    [(LiveLimits(streams_per_user=2), False), (LiveLimits(streams=2), True)],
    ids=["of the user", "of the process"],
)
def test_a_stream_too_many_is_refused_until_one_ends(
    own: OwnInbox, protocol: Protocol, limits: LiveLimits, *, others_too: bool, caplog: pytest.LogCaptureFixture
) -> None:
    eve = OwnInbox(own.publisher)
    with serving(replace(own.publisher.settings, live=limits)) as url:
        with ExitStack() as streams:
            first = streams.enter_context(ExitStack())
            for stack, kind in ((first, Sse), (streams, Socket)):
                assert stack.enter_context(kind(url, own.token)).next().name == "snapshot"
            assert refused(protocol, url, own.token)
            assert refused(protocol, url, own.token)
            assert refused(protocol, url, eve.token) is others_too
            first.close()
            waiting_for(lambda: not refused(protocol, url, own.token), "a place to become free")
        assert own.http.get("/v1/inbox").status_code == 200
    eve.http.close()
    logged = [vars(each) for each in caplog.records if vars(each).get("event") == LogEvent.INBOX_TOO_MANY_STREAMS.value]
    assert [each["limit"] for each in logged] == ["process" if others_too else "user"]


def test_the_limits_are_set_by_the_environment() -> None:
    assert LiveLimits.from_env({}) == LiveLimits(streams=10_000, streams_per_user=20)
    environ = {"INBOX_STREAMS": "5", "INBOX_STREAMS_PER_USER": "3"}
    assert LiveLimits.from_env(environ) == LiveLimits(streams=5, streams_per_user=3)


@pytest.mark.parametrize("name", ["INBOX_STREAMS", "INBOX_STREAMS_PER_USER"])
@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "²"])
def test_a_limit_that_is_no_positive_number_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{name} is"):
        LiveLimits.from_env({name: value})
