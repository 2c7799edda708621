"""What needs no cloud to go wrong: facts in, findings out."""

from datetime import timedelta
from pathlib import Path

import pytest

from doctor.checks.clocks import check_clocks
from doctor.checks.database import check_database
from doctor.checks.functions import check_functions
from doctor.checks.rules import check_rules
from doctor.checks.topology import check_bridge, check_subscription
from doctor.facts import Answer, Clock, Clocks, Database, Deployed, NotLoggedIn, Rules, Unreachable
from doctor.finding import Finding, Verdict
from doctor.mending import InTheClouds, OnOneMachine
from doctor.topology import Subscription

CLOUDS = InTheClouds("shop", "prod", Path("prod.env"))
HERE = OnOneMachine(Path(".local/stack.env"))


def seconds(count: float) -> Clock:
    return Clock(timedelta(seconds=count))


def wrongs(findings: list[Finding]) -> list[str]:
    return [one.text for one in findings if one.verdict is Verdict.WRONG]


def test_a_fault_is_told_with_its_mend_below_it() -> None:
    assert str(Finding(Verdict.WRONG, "topic notifications is missing", "make up")) == (
        "✗ topic notifications is missing\n    mend: make up"
    )


@pytest.mark.parametrize(
    ("database", "told"),
    [
        (Database("0003", "0003", 0), []),
        (Database("0001", "0003", 2), ["Postgres is at revision 0001, 2 behind the newest, 0003"]),
        (Database(None, "0003", 3), ["Postgres holds no tables of Heliograph: it was never migrated"]),
    ],
)
def test_a_schema_is_held_against_the_code(database: Database, told: list[str]) -> None:
    assert wrongs(list(check_database(database, CLOUDS))) == told


@pytest.mark.parametrize(("ahead", "is_wrong"), [(10, False), (-10, False), (10.1, True), (-10.1, True)])
def test_clocks_may_differ_by_ten_seconds(ahead: float, is_wrong: bool) -> None:  # noqa: FBT001 - a column of the table
    found = list(check_clocks(Clocks(seconds(0), seconds(ahead), seconds(0)), CLOUDS))

    assert (len(wrongs(found)) == 1) is is_wrong


def test_when_this_machines_clock_is_off_the_others_are_not_accused() -> None:
    found = list(check_clocks(Clocks(google=seconds(60), publisher=seconds(60), postgres=seconds(61)), CLOUDS))

    assert [str(one) for one in found if one.verdict is Verdict.WRONG] == [
        "✗ clock of this machine is 60 s behind Google's\n    mend: sudo timedatectl set-ntp true"
    ]


def test_without_googles_clock_the_others_are_compared_with_this_machines() -> None:
    found = list(check_clocks(Clocks(google=None, publisher=seconds(-42), postgres=None), CLOUDS))

    assert wrongs(found) == ["clock of the publisher is 42 s behind this machine's"]
    assert [one.verdict for one in found] == [Verdict.NOT_EXAMINED, Verdict.WRONG, Verdict.NOT_EXAMINED]


def test_the_emulators_lack_of_a_backoff_is_what_no_patience_asks_for() -> None:
    wanted = Subscription(name="s", topic="t", backoff_seconds=(0.0, 0.0))

    assert wrongs(check_subscription(wanted, Subscription(name="s", topic="t"), HERE)) == []


def test_a_function_hidden_by_ingress_is_left_open_when_google_gives_no_list() -> None:
    found = list(check_functions({"sms": "https://sms"}, {"sms": Answer(404, {})}, NotLoggedIn("expired"), CLOUDS))

    assert [one.verdict for one in found] == [Verdict.WRONG, Verdict.NOT_EXAMINED]


def test_on_one_machine_a_function_that_fails_shows_its_log() -> None:
    (found,) = check_functions({"sms": "http://sms"}, {"sms": Answer(500, {})}, None, HERE)

    assert found == Finding(Verdict.WRONG, "function sms fails: HTTP 500", "tail -n 50 .local/logs/sms.log")


def test_a_function_elsewhere_than_configured_is_a_fault_of_the_configuration() -> None:
    listed = {"heliograph-sms": Deployed("heliograph-sms", "europe-west1", "ACTIVE", "https://new")}

    (found,) = check_functions({"sms": "https://old"}, {"sms": Unreachable("away")}, listed, CLOUDS)

    assert found.text == "function sms is at https://new, not at https://old as configured here"
    assert found.mend == CLOUDS.configure()


def test_a_bridge_that_lost_a_stream_names_its_subscription() -> None:
    stopped = Answer(503, {"stopped": ["projects/p/subscriptions/notifications-sms"]})

    assert wrongs(list(check_bridge(stopped, HERE))) == ["the push bridge pulls no more: notifications-sms"]


@pytest.mark.parametrize(
    ("deployed", "told"),
    [
        ("a\nb\n", None),
        ("a\nb", None),
        ("a\nc\n", "line 2 in force is `c`"),
        ("a\nx\nb\n", "line 2 in force is `x`"),
        ("a\n", "in force lacks line 2 of the file, `b`"),
    ],
)
def test_rules_in_force_are_compared_line_by_line(deployed: str, told: str | None) -> None:
    found = check_rules(Rules(deployed, "a\nb\n"), CLOUDS)

    assert found.text == (
        f"Firestore's rules are not those of firestore.rules: {told}"
        if told
        else "Firestore's rules are those of firestore.rules"
    )
