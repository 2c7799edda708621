import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from functions import wiring
from functions.email.sendgrid import SendGrid
from functions.email.smtp import Smtp
from functions.google.services import Settings
from functions.runtime.lazy import Lazy
from shared.errors import ConfigurationError


def test_one_error_names_every_missing_variable() -> None:
    channel = wiring.channel("email", [SendGrid, Smtp], {"EMAIL_FROM": "", "HELIOGRAPH_PROFILE": "google"})
    with pytest.raises(ConfigurationError, match=r"EMAIL_FROM, GOOGLE_CLOUD_PROJECT, SENDGRID_API_KEY\.$"):
        channel.get()


def test_outcomes_topic_has_a_default_and_can_be_set() -> None:
    assert Settings.from_env({"GOOGLE_CLOUD_PROJECT": "p"}) == Settings("p", "delivery-outcomes")
    assert Settings.from_env({"GOOGLE_CLOUD_PROJECT": "p", "OUTCOMES_TOPIC": "o"}) == Settings("p", "o")


def test_lease_is_the_channel_types_own_unless_a_test_overrides_it() -> None:
    assert wiring.lease_of("email", {}) == timedelta(seconds=105)
    assert wiring.lease_of("email", {"LEDGER_LEASE_SECONDS": "0.5"}) == timedelta(seconds=0.5)


def test_smtp_is_used_only_if_it_is_configured() -> None:
    assert Smtp.from_env({"EMAIL_FROM": "a@b.example"}) is None
    assert Smtp.from_env({"EMAIL_FROM": "a@b.example", "SMTP_URL": "smtp://127.0.0.1:25"}) is not None


NEUTRAL = [
    "functions.runtime.deliver",
    "functions.runtime.failover",
    "functions.runtime.outcomes",
    "functions.runtime.ports",
    "functions.inapp.handler",
    "functions.dead_letter.handler",
]


def test_runtime_and_handlers_load_no_google_grpc_or_flask() -> None:
    program = (
        f"import importlib, sys; [importlib.import_module(name) for name in {NEUTRAL}];"
        "print({'google', 'grpc', 'flask', 'functions_framework'} & {name.partition('.')[0] for name in sys.modules})"
    )
    # -S: without site-packages' .pth files, which load the namespace package "google" into every process.
    path = f"import sys; sys.path[:0] = {[each for each in sys.path if each]};"
    ended = subprocess.run([sys.executable, "-S", "-c", path + program], check=True, capture_output=True, text=True)
    assert ended.stdout.strip() == "set()"


def test_concurrent_first_requests_build_once() -> None:
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


def test_failed_build_is_repeated() -> None:
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
