"""Reads the Firestore rules in force, from the Firebase Rules API or from the emulator."""

from pathlib import Path
from typing import Any

import httpx

from doctor.facts import Rules
from doctor.gather.google import access_token, get_json

_ROOT = Path(__file__).parents[2]
_DEFAULT = "(default)"
_FILES = {_DEFAULT: "firestore.rules", "ledger": "firestore.ledger.rules"}
_RELEASE = "cloud.firestore"


def read_rules(client: httpx.Client, project: str, api_url: str, emulator: str | None) -> list[Rules]:
    """The rules of each database. The emulator has one set of rules, which are those of ``(default)``.

    Raises ``httpx.HTTPError`` or ``GoogleAuthError``.
    """
    if emulator is None:
        token = access_token()
        return [_compared(database, _released_rules(client, project, api_url, database, token)) for database in _FILES]
    body = get_json(client, f"http://{emulator}/emulator/v1/projects/{project}:securityRules", None)
    return [_compared(_DEFAULT, _text(body["rules"]) if body else None)]


def _compared(database: str, deployed: str | None) -> Rules:
    return Rules(database, _FILES[database], deployed, (_ROOT / _FILES[database]).read_text())


def _released_rules(client: httpx.Client, project: str, api_url: str, database: str, token: str) -> str | None:
    name = _RELEASE if database == _DEFAULT else f"{_RELEASE}/{database}"
    release = get_json(client, f"{api_url}/v1/projects/{project}/releases/{name}", token)
    if release is None:
        return None
    ruleset = get_json(client, f"{api_url}/v1/{release['rulesetName']}", token)
    return None if ruleset is None else _text(ruleset["source"])


def _text(source: dict[str, Any]) -> str | None:
    return "\n".join(file["content"] for file in source.get("files", [])) or None
