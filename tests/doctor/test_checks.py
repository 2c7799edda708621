"""Checks as pure functions: facts in, findings out."""

from datetime import timedelta
from pathlib import Path

import pytest

from doctor.checks.clocks import check_clocks
from doctor.checks.database import check_database
from doctor.checks.functions import check_functions
from doctor.checks.rules import check_rules
from doctor.checks.topology import check_bridge, check_subscription
from doctor.facts import Clock, Clocks, Database, DeployedFunction, NotLoggedIn, Response, Rules, Unreachable
from doctor.finding import Finding, Verdict
from doctor.remedies import Fault, cloud_remedies, local_remedies
from doctor.topology import PushSubscription

CLOUD = cloud_remedies("shop", "prod", Path("prod.env"))
LOCAL = local_remedies(Path(".local/stack.env"))


def seconds(count: float) -> Clock:
    return Clock(timedelta(seconds=count))


def failures(findings: list[Finding]) -> list[str]:
    return [each.text for each in findings if each.verdict is Verdict.FAILED]


def test_failed_check_is_printed_with_its_fix_below_it() -> None:
    assert str(Finding(Verdict.FAILED, "topic notifications is missing", "make up")) == (
        "✗ topic notifications is missing\n    fix: make up"
    )


def test_every_fault_has_a_command_in_both_tables() -> None:
    assert set(CLOUD) == set(LOCAL) == set(Fault)


@pytest.mark.parametrize(
    ("database", "expected"),
    [
        (Database("0003", "0003", 0), []),
        (Database("0001", "0003", 2), ["Postgres is at revision 0001, 2 behind the newest, 0003"]),
        (
            Database("0003", "0003", 0, certificate_checked=False),
            ["Postgres's certificate is not checked: set DATABASE_CA_CERT"],
        ),
        (Database(None, "0003", 3), ["Postgres has no tables of Heliograph: it was never migrated"]),
    ],
)
def test_schema_older_than_the_code_fails(database: Database, expected: list[str]) -> None:
    assert failures(list(check_database(database, CLOUD))) == expected


@pytest.mark.parametrize(("ahead", "fails"), [(10, False), (-10, False), (10.1, True), (-10.1, True)])
def test_clock_fails_when_more_than_ten_seconds_off(ahead: float, fails: bool) -> None:  # noqa: FBT001 - a column of the table
    found = list(check_clocks(Clocks(seconds(0), seconds(ahead), seconds(0)), CLOUD))

    assert (len(failures(found)) == 1) is fails


def test_when_this_machines_clock_is_off_only_that_clock_fails() -> None:
    found = list(check_clocks(Clocks(google=seconds(60), publisher=seconds(60), postgres=seconds(61)), CLOUD))

    assert [str(each) for each in found if each.verdict is Verdict.FAILED] == [
        "✗ clock of this machine is 60 s behind Google's\n    fix: sudo timedatectl set-ntp true"
    ]


def test_without_googles_clock_the_others_are_compared_with_this_machines() -> None:
    found = list(check_clocks(Clocks(google=None, publisher=seconds(-42), postgres=None), CLOUD))

    assert failures(found) == ["clock of the publisher is 42 s behind this machine's"]
    assert [each.verdict for each in found] == [Verdict.SKIPPED, Verdict.FAILED, Verdict.SKIPPED]


def test_subscription_without_backoff_matches_a_backoff_of_zero() -> None:
    expected = PushSubscription(name="s", topic="t", ack_deadline_seconds=10, backoff_seconds=(0.0, 0.0))
    found = PushSubscription(name="s", topic="t", ack_deadline_seconds=10)

    assert failures(check_subscription(expected, found, LOCAL)) == []


def test_function_that_responds_404_is_skipped_without_googles_list() -> None:
    found = list(check_functions({"sms": "https://sms"}, {"sms": Response(404, {})}, NotLoggedIn("expired"), CLOUD))

    assert [each.verdict for each in found] == [Verdict.FAILED, Verdict.SKIPPED]


def test_fix_for_a_failing_local_function_shows_its_log() -> None:
    (found,) = check_functions({"sms": "http://sms"}, {"sms": Response(500, {})}, None, LOCAL)

    assert found == Finding(Verdict.FAILED, "function sms fails: HTTP 500", "tail -n 50 .local/logs/sms.log")


def test_function_at_another_url_than_configured_is_a_fault_of_the_settings() -> None:
    listed = {"heliograph-sms": DeployedFunction("heliograph-sms", "europe-west1", "ACTIVE", "https://new")}

    (found,) = check_functions({"sms": "https://old"}, {"sms": Unreachable("down")}, listed, CLOUD)

    assert found.text == "function sms is at https://new, but these settings say https://old"
    assert found.fix == CLOUD[Fault.SETTINGS_WRONG]


def test_bridge_that_stopped_pulling_names_the_subscription() -> None:
    stopped = Response(503, {"stopped": ["projects/p/subscriptions/notifications-sms"]})

    assert failures(list(check_bridge(stopped, LOCAL))) == ["push bridge no longer pulls: notifications-sms"]


@pytest.mark.parametrize(
    ("deployed", "difference"),
    [
        ("a\nb\n", None),
        ("a\nb", None),
        ("a\nc\n", "line 2 in force is `c`"),
        ("a\nx\nb\n", "line 2 in force is `x`"),
        ("a\n", "the rules in force lack line 2 of the file, `b`"),
    ],
)
def test_rules_fail_with_the_first_line_that_differs(deployed: str, difference: str | None) -> None:
    (found,) = check_rules([Rules("(default)", "firestore.rules", deployed, "a\nb\n")], CLOUD)

    assert found.text == (
        f"Firestore's rules are not those of firestore.rules: {difference}"
        if difference
        else "Firestore's rules are those of firestore.rules"
    )
