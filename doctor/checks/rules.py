"""Checks that the Firestore rules in force are those of the repository."""

import difflib

from doctor.checks.unknown import check_unknown
from doctor.facts import Rules, Unknown
from doctor.finding import Finding, failed, ok
from doctor.remedies import Fault, Remedies


def check_rules(found: Rules | Unknown, remedies: Remedies) -> Finding:
    if not isinstance(found, Rules):
        return check_unknown("Firestore's rules", found, remedies)
    fix = remedies[Fault.MISSING]
    if found.deployed is None:
        return failed("Firestore has no rules in force, so no user can read an inbox", fix)
    if found.deployed.strip() == found.expected.strip():
        return ok("Firestore's rules are those of firestore.rules")
    return failed(f"Firestore's rules are not those of firestore.rules: {_first_difference(found)}", fix)


def _first_difference(rules: Rules) -> str:
    deployed, expected = (rules.deployed or "").split("\n"), rules.expected.split("\n")
    for tag, start, end, other, _ in difflib.SequenceMatcher(a=deployed, b=expected, autojunk=False).get_opcodes():
        if tag == "insert":
            return f"the rules in force lack line {other + 1} of the file, `{expected[other].strip()}`"
        if tag in ("delete", "replace"):
            shown = next((line.strip() for line in deployed[start:end] if line.strip()), "")
            return f"line {start + 1} in force is `{shown}`"
    return "they differ only in white space"
