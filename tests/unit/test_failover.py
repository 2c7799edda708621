import pytest

from functions.runtime.breaker import Breaker
from functions.runtime.failover import Failover
from functions.runtime.provider import Provider, Rejected, Sent
from shared.errors import CredentialsRefused, Retryable, StillSending
from shared.reasons import Reason
from tests.factories import make_delivery
from tests.fakes import ScriptedProvider

RATE_LIMITED = Retryable(Reason.RATE_LIMITED)
NO_ANSWER = Retryable(Reason.TIMEOUT, ambiguous=True)
CREDENTIALS_REFUSED = CredentialsRefused(Reason.CREDENTIALS_REFUSED, provider="first")
REJECTED = Rejected("p", Reason.BAD_REQUEST)


def providers(first: Sent | Rejected | Exception, second: Sent | Rejected | Exception) -> list[Provider]:
    return [ScriptedProvider([first], "first"), ScriptedProvider([second], "second")]


def test_retryable_error_fails_over_to_the_next_provider() -> None:
    assert Failover(providers(RATE_LIMITED, Sent("second"))).send(make_delivery()) == Sent("second")


def test_refused_credentials_fail_over_because_nothing_was_sent_and_the_alert_stays(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert Failover(providers(CREDENTIALS_REFUSED, Sent("second"))).send(make_delivery()) == Sent("second")
    (record,) = caplog.records
    assert (vars(record)["event"], record.levelname) == ("message.credentials_refused", "CRITICAL")
    assert (vars(record)["provider"], vars(record)["reason"]) == ("first", "credentials_refused")


@pytest.mark.parametrize("second", [RATE_LIMITED, NO_ANSWER])
def test_alert_about_the_first_provider_stays_if_the_next_one_fails(
    second: Retryable, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Retryable) as caught:
        Failover(providers(CREDENTIALS_REFUSED, second)).send(make_delivery())
    assert (caught.value.reason, caught.value.ambiguous) == (second.reason, second.ambiguous)
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]


def test_refused_credentials_of_the_last_provider_are_raised_and_logged_by_no_one_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(CredentialsRefused, match="credentials_refused"):
        Failover(providers(RATE_LIMITED, CREDENTIALS_REFUSED)).send(make_delivery())
    assert caplog.records == [], "the handler of the message logs the error that it gets"


def test_refused_credentials_after_an_ambiguous_answer_do_not_hide_that_it_was_ambiguous(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(Retryable) as caught:
        Failover(providers(NO_ANSWER, CREDENTIALS_REFUSED)).send(make_delivery(config={"accept_duplicates": True}))
    assert caught.value.ambiguous
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]


def test_send_that_still_runs_is_reported_also_after_the_next_provider_failed() -> None:
    with pytest.raises(StillSending):
        Failover(providers(StillSending(Reason.TIMEOUT), RATE_LIMITED)).send(
            make_delivery(config={"accept_duplicates": True})
        )


def test_ambiguous_error_does_not_fail_over() -> None:
    with pytest.raises(Retryable, match="timeout"):
        Failover(providers(NO_ANSWER, Sent("second"))).send(make_delivery())


def test_rejection_does_not_fail_over() -> None:
    assert Failover(providers(REJECTED, Sent("second"))).send(make_delivery()) == REJECTED


def test_ambiguous_error_fails_over_as_a_possible_duplicate_if_the_channel_accepts_duplicates() -> None:
    delivery = make_delivery(config={"accept_duplicates": True})
    answer = Failover(providers(NO_ANSWER, Sent("second"))).send(delivery)
    assert answer == Sent("second", possible_duplicate=True)


def test_ambiguous_error_stays_ambiguous_after_the_next_provider_failed() -> None:
    with pytest.raises(Retryable) as caught:
        Failover(providers(NO_ANSWER, RATE_LIMITED)).send(make_delivery(config={"accept_duplicates": True}))
    assert caught.value.ambiguous


def test_last_error_is_raised_if_every_provider_fails() -> None:
    with pytest.raises(Retryable, match="the second's error"):
        Failover(providers(RATE_LIMITED, Retryable(Reason.UNREACHABLE, "the second's error"))).send(make_delivery())


def test_config_selects_and_orders_the_providers() -> None:
    both = providers(Sent("first"), Sent("second"))
    assert Failover(both).send(make_delivery(config={"providers": ["second"]})) == Sent("second")
    both = providers(Sent("first"), RATE_LIMITED)
    assert Failover(both).send(make_delivery(config={"providers": ["second", "first"]})) == Sent("first")


def test_provider_without_secrets_is_an_alert_and_the_next_one_is_tried(caplog: pytest.LogCaptureFixture) -> None:
    both = providers(Sent("first"), Sent("second"))
    assert Failover(both).send(make_delivery(config={"providers": ["smtp", "first"]})) == Sent("first")
    (record,) = caplog.records
    assert (record.levelname, vars(record)["provider"], vars(record)["reason"]) == (
        "CRITICAL",
        "smtp",
        "provider_not_configured",
    )


def test_config_that_names_no_configured_provider_raises_an_alert() -> None:
    with pytest.raises(CredentialsRefused, match="smtp"):
        Failover(providers(Sent("first"), Sent("second"))).send(make_delivery(config={"providers": ["smtp"]}))


@pytest.mark.parametrize("error", [RATE_LIMITED, NO_ANSWER])
def test_provider_without_secrets_does_not_hide_why_the_one_that_was_tried_failed(
    error: Retryable, caplog: pytest.LogCaptureFixture
) -> None:
    config = {"providers": ["first", "smtp"], "accept_duplicates": True}
    with pytest.raises(Retryable) as caught:
        Failover(providers(error, Sent("second"))).send(make_delivery(config=config))
    assert (caught.value.reason, caught.value.ambiguous) == (error.reason, error.ambiguous)
    assert [(record.levelname, vars(record)["provider"]) for record in caplog.records] == [("CRITICAL", "smtp")]


def test_open_breaker_fails_over_to_the_next_provider() -> None:
    broken = Breaker(ScriptedProvider([RATE_LIMITED], "first"), fails=1)
    failover = Failover([broken, ScriptedProvider([Sent("second")], "second")])
    with pytest.raises(Retryable, match="rate_limited"):
        broken.send(make_delivery())
    assert failover.send(make_delivery()) == Sent("second")
