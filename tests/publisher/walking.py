"""Calls every route of the table of access with one credential, in the profiles google and postgres."""

import time
import uuid
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
from psycopg import sql

from local.tokens import Signer
from postgres.pool import make_pool
from publisher_api.settings import GoogleSettings, Settings
from publisher_api.web.access import RULES, WEBSOCKET, Only, Rule
from shared.profile import Profile
from tests.publisher.running import create_api_key
from tests.publisher.topic import waiting_for

GOOGLE = Settings(
    database_url="postgresql:///none",
    profile=Profile.GOOGLE,
    google=GoogleSettings(project="p", push_audience="a", push_service_account="s"),
)
POSTGRES = Settings(database_url="postgresql:///none", profile=Profile.POSTGRES)
ISSUER, PRODUCERS = "https://issuer.example", "heliograph"


def rules_in(settings: Settings) -> dict[tuple[str, str], Rule]:
    """The rules of the routes in this profile: Pub/Sub pushes in the google profile only."""
    return {key: rule for key, rule in RULES.items() if settings.google or rule is not Only.GOOGLE}


@dataclass(frozen=True)
class Publishers:
    """Two publishers on one database of their own: the walk deletes and changes what it likes."""

    urls: dict[Profile, str]
    database_url: str
    signer: Signer

    def key(self, *scopes: str, **others: Any) -> str:
        key = create_api_key(self.database_url, "walker", *scopes, **others)
        headers = {"Authorization": f"Bearer {key}"}
        urls = [f"{url}/v1/channels" for url in self.urls.values()]
        # Postgres announces the key to each.
        waiting_for(lambda: all(httpx.get(url, headers=headers).status_code != 401 for url in urls), "the key")
        return key

    def ended_key(self, column: str) -> str:
        key = create_api_key(self.database_url, "walker")
        with make_pool(self.database_url, 1) as pool, pool.connection() as connection:
            statement = "update api_keys set {} = now() where prefix = %s"
            connection.execute(sql.SQL(statement).format(sql.Identifier(column)), [key[:11]])
        return key

    def jwt(self, scope: str, seconds: int = 600, **claims: Any) -> str:
        standard = {"iss": ISSUER, "aud": PRODUCERS, "sub": "walker", "scope": scope, "exp": int(time.time()) + seconds}
        return jwt.encode(standard | claims, self.signer.key, algorithm="RS256", headers={"kid": self.signer.key_id})

    def walk(self, credential: str | None) -> dict[tuple[Profile, str, str], int]:
        """What each route of each publisher answers to this credential."""
        headers = {"Authorization": f"Bearer {credential}"} if credential is not None else {}
        found = {}
        for profile, url in self.urls.items():
            with httpx.Client(base_url=url, headers=headers, timeout=20) as http:
                settings = GOOGLE if profile is Profile.GOOGLE else POSTGRES
                for method, path in rules_in(settings):
                    if method != WEBSOCKET:
                        found[profile, method, path] = status_of(http, method, path)
        return found


def filled(path: str) -> str:
    """The path with a value for each of its parameters."""
    for name in ("notification_id", "device_id", "key_id", "erasure_id"):
        path = path.replace(f"{{{name}}}", str(uuid.UUID(int=1)))
    return path.replace("{", "").replace("}", "")


def status_of(http: httpx.Client, method: str, path: str) -> int:
    request = http.build_request(method, filled(path), json={})
    response = http.send(request, stream=True)  # one of the routes answers without an end
    response.close()
    return response.status_code
