"""Checks that the rules in force in each Firestore database are those of the repository."""

import difflib
from collections.abc import Iterator, Sequence

from doctor.checks.unknown import check_unknown
from doctor.facts import Forbidden, NotLoggedIn, Rules, Unknown, Unreachable
from doctor.finding import Finding, failed, ok
from doctor.remedies import Fault, Remedies


def check_rules(found: Sequence[Rules] | Unknown, remedies: Remedies) -> Iterator[Finding]:
    if isinstance(found, Unreachable | NotLoggedIn | Forbidden):
        yield check_unknown("Firestore's rules", found, remedies)
        return
    for rules in found:
        yield _check_database(rules, remedies[Fault.MISSING])


def _check_database(rules: Rules, fix: str) -> Finding:
    if rules.deployed is None:
        return failed(f"Firestore's database {rules.database} has no rules in force, so it denies every client", fix)
    if rules.deployed.strip() == rules.expected.strip():
        return ok(f"Firestore's rules are those of {rules.file}")
    return failed(f"Firestore's rules are not those of {rules.file}: {_first_difference(rules)}", fix)


def _first_difference(rules: Rules) -> str:
    deployed, expected = (rules.deployed or "").split("\n"), rules.expected.split("\n")
    for tag, start, end, other, _ in difflib.SequenceMatcher(a=deployed, b=expected, autojunk=False).get_opcodes():
        if tag == "insert":
            return f"the rules in force lack line {other + 1} of the file, `{expected[other].strip()}`"
        if tag in ("delete", "replace"):
            shown = next((line.strip() for line in deployed[start:end] if line.strip()), "")
            return f"line {start + 1} in force is `{shown}`"
    return "they differ only in white space"
