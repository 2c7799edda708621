import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from functions.email.sendgrid import SendGrid
from functions.email.smtp import Smtp
from functions.runtime import wiring
from functions.runtime.environment import Settings
from functions.runtime.lazy import Lazy
from shared.errors import ConfigurationError


def test_everything_missing_is_named_in_one_error() -> None:
    channel = wiring.channel("email", [SendGrid, Smtp], {"EMAIL_FROM": ""})
    with pytest.raises(ConfigurationError, match=r"EMAIL_FROM, GOOGLE_CLOUD_PROJECT, SENDGRID_API_KEY\.$"):
        channel.get()


def test_the_outcomes_topic_has_a_usual_name_and_can_be_given() -> None:
    assert Settings.from_env({"GOOGLE_CLOUD_PROJECT": "p"}) == Settings("p", "delivery-outcomes")
    assert Settings.from_env({"GOOGLE_CLOUD_PROJECT": "p", "OUTCOMES_TOPIC": "o"}) == Settings("p", "o")


def test_tests_can_shorten_the_lease() -> None:
    assert Settings.from_env({"GOOGLE_CLOUD_PROJECT": "p", "LEDGER_LEASE_SECONDS": "0.5"}).lease_seconds == 0.5


def test_smtp_is_there_only_where_it_is_set_up() -> None:
    assert Smtp.from_env({"EMAIL_FROM": "a@b.example"}) is None
    assert Smtp.from_env({"EMAIL_FROM": "a@b.example", "SMTP_URL": "smtp://127.0.0.1:25"}) is not None


def test_first_requests_that_come_together_build_once() -> None:
    together = threading.Barrier(4)
    built: list[object] = []

    def build() -> object:
        built.append(object())
        return built[-1]

    lazy = Lazy(build)

    def get() -> object:
        together.wait(timeout=10)
        return lazy.get()

    with ThreadPoolExecutor(4) as threads:
        values = {id(future.result()) for future in [threads.submit(get) for _ in range(4)]}
    assert (len(values), len(built)) == (1, 1)


def test_a_build_that_failed_is_tried_again() -> None:
    answers: list[str] = ["built"]

    def build() -> str:
        if len(answers) == 1:
            answers.append("failed once")
            raise ConfigurationError("not yet")
        return answers[0]

    lazy = Lazy(build)
    with pytest.raises(ConfigurationError):
        lazy.get()
    assert lazy.get() == "built"
