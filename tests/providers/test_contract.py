"""The contract that every adapter keeps, with the real SDKs against servers on this machine."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial

import pytest

from functions.runtime.provider import Provider, Rejected, Sent
from shared.envelope import Delivery
from shared.errors import CredentialsRefused, Retryable, Undecodable
from shared.reasons import Reason
from shared.topology import TOPOLOGY
from tests.factories import make_delivery
from tests.providers import adapters, mail_server, server
from tests.providers.mail_server import MailServer
from tests.providers.server import SILENCE, Answer


class Situation(Enum):
    """What happens to the request at the provider."""

    ACCEPTED = auto()
    REFUSED = auto()  # permanently
    RATE_LIMITED = auto()
    UNAVAILABLE = auto()
    CREDENTIALS_REFUSED = auto()
    SILENT = auto()  # the provider takes the request and does not answer


@dataclass(frozen=True)
class Server:
    """A running provider: its address, and the number of requests that it got."""

    address: str
    requests: Callable[[], int]


Serving = Callable[[Situation], AbstractContextManager[Server]]


@contextmanager
def http(answers: Mapping[Situation, Answer], situation: Situation) -> Iterator[Server]:
    with server.serving() as script:
        script.answers = [answers[situation]]
        yield Server(script.url.removeprefix("http://"), lambda: len(script.asked))


@contextmanager
def mail(servers: Mapping[Situation, Callable[[], MailServer]], situation: Situation) -> Iterator[Server]:
    running = servers[situation]()
    with mail_server.serving(running) as address:
        yield Server(address, lambda: running.attempts)


@dataclass(frozen=True)
class Adapter:
    """An adapter under contract. ``at`` builds it for the provider at an address (``host:port``)."""

    name: str
    channel_type: str
    at: Callable[[str], AbstractContextManager[Provider]]
    serving: Serving
    has_credentials: bool = True  # a webhook's receiver has no account of ours: its 401 is a refusal

    def delivery(self, address: str, **given: object) -> Delivery:
        recipient = {"recipient": f"http://{address}/hook"} if self.channel_type == "webhook" else {}
        return make_delivery(self.channel_type, **recipient, **given)


def _fcm_error(status: int, code: str) -> Answer:
    return Answer.json(status, {"error": {"code": status, "status": code, "message": "no", "details": []}})


def _twilio_error(status: int, code: int) -> Answer:
    return Answer.json(status, {"status": status, "code": code, "message": "no"})


ADAPTERS = [
    Adapter(
        "sendgrid",
        "email",
        lambda address: nullcontext(adapters.sendgrid(f"http://{address}")),
        partial(
            http,
            {
                Situation.ACCEPTED: Answer(202, headers={"X-Message-Id": "sg-1"}),
                Situation.REFUSED: Answer.json(400, {"errors": [{"message": "no", "field": "subject"}]}),
                Situation.RATE_LIMITED: Answer(429),
                Situation.UNAVAILABLE: Answer(503),
                Situation.CREDENTIALS_REFUSED: Answer(401),
                Situation.SILENT: SILENCE,
            },
        ),
    ),
    Adapter(
        "smtp",
        "email",
        lambda address: nullcontext(adapters.smtp(address)),
        partial(
            mail,
            {
                Situation.ACCEPTED: MailServer,
                Situation.REFUSED: lambda: MailServer(rcpt="550 5.1.1 unknown"),
                Situation.RATE_LIMITED: lambda: MailServer(mail="450 4.7.0 slow down"),
                Situation.UNAVAILABLE: lambda: MailServer(data="451 4.3.0 try again"),
                Situation.CREDENTIALS_REFUSED: lambda: MailServer(mail="535 5.7.8 no"),
                Situation.SILENT: lambda: MailServer(data=mail_server.SILENCE),
            },
        ),
    ),
    Adapter(
        "twilio",
        "sms",
        lambda address: nullcontext(adapters.twilio(f"http://{address}")),
        partial(
            http,
            {
                Situation.ACCEPTED: Answer.json(201, {"sid": "SM1"}),
                Situation.REFUSED: _twilio_error(400, 21211),
                Situation.RATE_LIMITED: _twilio_error(429, 20429),
                Situation.UNAVAILABLE: _twilio_error(503, 20503),
                Situation.CREDENTIALS_REFUSED: _twilio_error(401, 20003),
                Situation.SILENT: SILENCE,
            },
        ),
    ),
    Adapter(
        "fcm",
        "push",
        lambda address: adapters.fcm(f"http://{address}"),
        partial(
            http,
            {
                Situation.ACCEPTED: Answer.json(200, {"name": "projects/p/messages/1"}),
                Situation.REFUSED: _fcm_error(400, "INVALID_ARGUMENT"),
                Situation.RATE_LIMITED: _fcm_error(429, "RESOURCE_EXHAUSTED"),
                Situation.UNAVAILABLE: _fcm_error(503, "UNAVAILABLE"),
                Situation.CREDENTIALS_REFUSED: _fcm_error(401, "UNAUTHENTICATED"),
                Situation.SILENT: SILENCE,
            },
        ),
    ),
    Adapter(
        "http",
        "webhook",
        lambda _: nullcontext(adapters.webhook()),
        partial(
            http,
            {
                Situation.ACCEPTED: Answer(204),
                Situation.REFUSED: Answer(410),
                Situation.RATE_LIMITED: Answer(429),
                Situation.UNAVAILABLE: Answer(503),
                Situation.SILENT: SILENCE,
            },
        ),
        has_credentials=False,
    ),
]
WITH_CREDENTIALS = [adapter for adapter in ADAPTERS if adapter.has_credentials]
by_adapter = pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.name)


class TestProvider:
    @by_adapter
    def test_name_is_declared_for_the_channel_type(self, adapter: Adapter) -> None:
        with adapter.at("127.0.0.1:1") as provider:
            assert provider.name == adapter.name
        assert adapter.name in TOPOLOGY[adapter.channel_type].providers

    @by_adapter
    def test_accepted_delivery_is_sent_with_the_providers_id(self, adapter: Adapter) -> None:
        with adapter.serving(Situation.ACCEPTED) as provider_server, adapter.at(provider_server.address) as provider:
            answer = provider.send(adapter.delivery(provider_server.address))
        assert isinstance(answer, Sent)
        assert answer.provider == adapter.name
        assert answer.provider_message_id
        assert not answer.possible_duplicate

    @by_adapter
    def test_permanent_refusal_is_rejected_with_a_reason(self, adapter: Adapter) -> None:
        with adapter.serving(Situation.REFUSED) as provider_server, adapter.at(provider_server.address) as provider:
            answer = provider.send(adapter.delivery(provider_server.address))
        assert isinstance(answer, Rejected)
        assert (answer.provider, answer.suppress) == (adapter.name, False)
        assert isinstance(answer.reason, Reason)

    @by_adapter
    @pytest.mark.parametrize("situation", [Situation.RATE_LIMITED, Situation.UNAVAILABLE])
    def test_temporary_refusal_is_retryable_unambiguous_and_not_repeated_by_the_sdk(
        self, adapter: Adapter, situation: Situation
    ) -> None:
        error, requests = self.fail(adapter, situation)
        assert isinstance(error, Retryable)
        assert (error.ambiguous, error.provider, requests) == (False, adapter.name, 1)

    @by_adapter
    def test_silence_after_the_request_is_ambiguous_and_not_repeated_by_the_sdk(self, adapter: Adapter) -> None:
        error, requests = self.fail(adapter, Situation.SILENT)
        assert isinstance(error, Retryable)
        assert (error.reason, error.ambiguous, error.provider) == (Reason.TIMEOUT, True, adapter.name)
        assert requests == 1

    @pytest.mark.parametrize("adapter", WITH_CREDENTIALS, ids=lambda adapter: adapter.name)
    def test_refused_credentials_are_an_alert_and_no_answer_about_the_delivery(self, adapter: Adapter) -> None:
        error, _ = self.fail(adapter, Situation.CREDENTIALS_REFUSED)
        assert isinstance(error, CredentialsRefused)
        assert (error.reason, error.provider) == (Reason.CREDENTIALS_REFUSED, adapter.name)

    @by_adapter
    def test_refused_connection_is_retryable_and_unambiguous(self, adapter: Adapter, nowhere: str) -> None:
        with adapter.at(nowhere) as provider, pytest.raises(Retryable) as caught:
            provider.send(adapter.delivery(nowhere))
        assert (caught.value.reason, caught.value.ambiguous) == (Reason.UNREACHABLE, False)
        assert caught.value.provider == adapter.name

    @by_adapter
    def test_content_of_another_channel_type_is_undecodable_and_not_sent(self, adapter: Adapter) -> None:
        with adapter.serving(Situation.ACCEPTED) as provider_server, adapter.at(provider_server.address) as provider:
            delivery = adapter.delivery(provider_server.address, content={"unknown": "field"})
            with pytest.raises(Undecodable):
                provider.send(delivery)
            assert provider_server.requests() == 0

    def fail(self, adapter: Adapter, situation: Situation) -> tuple[Exception, int]:
        """The error that ``send`` raises, and the number of requests that the provider got."""
        with adapter.serving(situation) as provider_server, adapter.at(provider_server.address) as provider:
            with pytest.raises((Retryable, CredentialsRefused)) as caught:
                provider.send(adapter.delivery(provider_server.address))
            return caught.value, provider_server.requests()


def test_every_declared_provider_is_under_contract() -> None:
    # The contract of the inbox is tests/contract/test_inbox.py: it is a port and no provider's API.
    declared = {(name, each) for name, channel_type in TOPOLOGY.items() for each in channel_type.providers}
    assert {(adapter.channel_type, adapter.name) for adapter in ADAPTERS} == declared - {("inapp", "inbox")}
