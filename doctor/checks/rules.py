"""Firestore's rules: those in force are those of the repository."""

import difflib

from doctor.checks.unknown import check_unknown
from doctor.facts import Rules, Unknown
from doctor.finding import Finding, fine, wrong
from doctor.mending import Mending


def check_rules(found: Rules | Unknown, mending: Mending) -> Finding:
    if not isinstance(found, Rules):
        return check_unknown("Firestore's rules", found, mending)
    if found.deployed is None:
        return wrong("Firestore has no rules in force, so nobody can read an inbox", mending.restore())
    if found.deployed.strip() == found.wanted.strip():
        return fine("Firestore's rules are those of firestore.rules")
    return wrong(f"Firestore's rules are not those of firestore.rules: {_first_difference(found)}", mending.restore())


def _first_difference(rules: Rules) -> str:
    deployed, wanted = (rules.deployed or "").split("\n"), rules.wanted.split("\n")
    for tag, start, end, other, _ in difflib.SequenceMatcher(a=deployed, b=wanted, autojunk=False).get_opcodes():
        if tag == "insert":
            return f"in force lacks line {other + 1} of the file, `{wanted[other].strip()}`"
        if tag in ("delete", "replace"):
            shown = next((line.strip() for line in deployed[start:end] if line.strip()), "")
            return f"line {start + 1} in force is `{shown}`"
    return "they differ in space alone"
