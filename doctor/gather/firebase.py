"""Reads the Firestore rules in force, from the Firebase Rules API or from the emulator."""

from pathlib import Path
from typing import Any

import httpx

from doctor.facts import Rules
from doctor.gather.google import access_token, get_json

RULES = Path(__file__).parents[2] / "firestore.rules"
_RELEASE = "cloud.firestore"  # the release of the database "(default)"


def read_rules(client: httpx.Client, project: str, api_url: str, emulator: str | None) -> Rules:
    """Raises ``httpx.HTTPError`` or ``GoogleAuthError``."""
    if emulator is None:
        return Rules(_released_rules(client, project, api_url), RULES.read_text())
    body = get_json(client, f"http://{emulator}/emulator/v1/projects/{project}:securityRules", None)
    return Rules(_text(body["rules"]) if body else None, RULES.read_text())


def _released_rules(client: httpx.Client, project: str, api_url: str) -> str | None:
    token = access_token()
    release = get_json(client, f"{api_url}/v1/projects/{project}/releases/{_RELEASE}", token)
    if release is None:
        return None
    ruleset = get_json(client, f"{api_url}/v1/{release['rulesetName']}", token)
    return None if ruleset is None else _text(ruleset["source"])


def _text(source: dict[str, Any]) -> str | None:
    return "\n".join(file["content"] for file in source.get("files", [])) or None
