"""API keys: made, rotated, revoked and listed through the API and on the command line."""

import asyncio
import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from postgres.pool import make_pool
from publisher_api.api_keys.secret import hash_of
from publisher_api.api_keys.uses import KeyUses
from publisher_api.db.config_cache import ConfigCache
from publisher_api.settings import Settings
from publisher_api.web.producers import Producers
from tests.publisher.own_inbox import now
from tests.publisher.running import Publisher, create_api_key, notification, problem_of, serving
from tests.publisher.topic import waiting_for


def created(publisher: Publisher, **fields: Any) -> dict[str, Any]:
    body = {"producer": f"p-{uuid.uuid4().hex[:8]}", "scopes": ["send", "read"]} | fields
    response = publisher.http.post("/v1/api-keys", json=body)
    assert response.status_code == 201, response.text
    key: dict[str, Any] = response.json()
    return key


def listed(publisher: Publisher, key_id: str) -> dict[str, Any]:
    page = publisher.http.get("/v1/api-keys", params={"limit": 100}).json()
    return next(each for each in page["api_keys"] if each["key_id"] == key_id)


def send(publisher: Publisher, key: str, **fields: object) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.post(f"{publisher.url}/v1/notifications", headers=headers, json=notification(**fields), timeout=20)


def test_the_secret_of_a_new_key_is_shown_once_and_only_its_hash_and_prefix_are_stored(publisher: Publisher) -> None:
    key = created(publisher)
    assert key["key"].startswith(key["prefix"])
    assert (len(key["prefix"]), key["scopes"], key["status"]) == (11, ["send", "read"], "active")
    assert send(publisher, key["key"]).status_code == 202
    rest = key["key"][len(key["prefix"]) :]
    assert rest not in publisher.http.get("/v1/api-keys", params={"limit": 100}).text
    [stored] = publisher.sql("select k::text as row from api_keys k where key_id = %s", key["key_id"])
    assert rest not in stored["row"]


def test_a_key_does_what_its_scopes_say_and_its_refusal_names_the_missing_one(publisher: Publisher) -> None:
    key = created(publisher, scopes=["read"])
    refused = send(publisher, key["key"])
    assert problem_of(refused) == (403, "insufficient_scope", [])
    assert refused.json()["scope"] == "send"
    assert refused.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="send"'


def test_a_rotated_key_works_beside_the_new_one_until_the_overlap_ends(publisher: Publisher) -> None:
    old = created(publisher, scopes=["send"], tenant="acme")
    path = f"/v1/api-keys/{old['key_id']}/rotate"
    new = publisher.http.post(path, json={"overlap_seconds": 3600}).json()
    assert [new[name] for name in ("producer", "scopes", "tenant")] == [old["producer"], ["send"], "acme"]
    assert [send(publisher, key["key"]).status_code for key in (old, new)] == [202, 202]
    shown = listed(publisher, old["key_id"])
    assert shown["expires_at"] is None
    ends = datetime.fromisoformat(shown["overlap_ends_at"])
    assert abs(ends - datetime.now(UTC) - timedelta(hours=1)) < timedelta(minutes=1)

    assert publisher.http.post(path, json={"overlap_seconds": 0}).status_code == 201
    refused = send(publisher, old["key"])
    assert problem_of(refused) == (401, "credential_expired", [])
    assert "expired at" in refused.json()["detail"]
    assert refused.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert send(publisher, new["key"]).status_code == 202
    assert publisher.http.post(path, json={}).status_code == 404, "it has expired"


def test_each_rotation_of_a_key_that_expires_gives_the_successor_as_long(publisher: Publisher) -> None:
    ends = datetime.now(UTC) + timedelta(days=10)
    old = created(publisher, expires_at=ends.isoformat())
    for _ in range(2):
        new = publisher.http.post(f"/v1/api-keys/{old['key_id']}/rotate", json={"overlap_seconds": 60}).json()
        assert abs(datetime.fromisoformat(new["expires_at"]) - ends) < timedelta(minutes=1)


def test_each_successor_of_a_key_that_never_expires_never_expires(publisher: Publisher) -> None:
    old = created(publisher)
    path = f"/v1/api-keys/{old['key_id']}/rotate"
    assert [publisher.http.post(path, json={}).json()["expires_at"] for _ in range(2)] == [None, None]


def test_a_revoked_key_is_refused_at_once(publisher: Publisher) -> None:
    key = created(publisher)
    assert send(publisher, key["key"]).status_code == 202
    path = f"/v1/api-keys/{key['key_id']}"
    assert publisher.http.delete(path).status_code == 204
    assert problem_of(send(publisher, key["key"])) == (401, "unauthorized", [])
    assert listed(publisher, key["key_id"])["status"] == "revoked"
    assert publisher.http.delete(path).status_code == 404


def test_a_key_that_the_release_before_creates_has_all_scopes_but_admin(publisher: Publisher) -> None:
    secret, key_id = f"hg_{uuid.uuid4().hex}", uuid.uuid4()
    statement = "insert into api_keys (key_hash, key_id, producer) values (%s, %s, 'older')"
    publisher.sql(statement, hash_of(secret), key_id)
    assert status_with(publisher, secret, "/v1/channels") == 200
    assert listed(publisher, str(key_id))["scopes"] == ["send", "read_all", "users", "configure"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59.999999Z"}, "expires_at"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["root"]}, "scopes.0"),
        ({"scopes": ["send", "send"]}, "scopes"),
        ({"scopes": ["users"], "tenant": "acme"}, "scopes"),
        ({"scopes": ["admin"], "tenant": "acme"}, "scopes"),
        ({"producer": "a\nb"}, "producer"),
        ({"producer": "x" * 129}, "producer"),
        ({"tenant": "no spaces"}, "tenant"),
    ],
)
def test_a_key_that_cannot_be_made_names_the_field(publisher: Publisher, fields: dict[str, Any], field: str) -> None:
    response = publisher.http.post("/v1/api-keys", json={"producer": "p", "scopes": ["send"]} | fields)
    assert problem_of(response) == (422, "invalid_request", [field])


def test_keys_are_listed_page_by_page_the_newest_first(publisher: Publisher) -> None:
    made = [created(publisher)["key_id"] for _ in range(3)][::-1]
    first = publisher.http.get("/v1/api-keys", params={"limit": 2}).json()
    second = publisher.http.get("/v1/api-keys", params={"limit": 1, "before": first["next"]}).json()
    assert [each["key_id"] for each in first["api_keys"] + second["api_keys"]] == made


def test_the_last_use_is_written_once_a_minute_and_drops_no_cached_configuration(unswept: Settings) -> None:
    key = create_api_key(unswept.database_url, "used")
    with make_pool(unswept.database_url, 1) as pool, pool.connection() as connection:
        [row] = connection.execute("select key_id from api_keys").fetchall()
    at = now()
    with (
        make_pool(unswept.database_url, 2) as pool,
        psycopg.connect(unswept.database_url, autocommit=True) as listening,
    ):
        listening.execute("listen catalog")

        def used_after(seconds: int) -> datetime | None:
            uses = KeyUses(pool, lambda: at + timedelta(seconds=seconds))
            uses.note(row["key_id"])
            uses.write()
            with pool.connection() as connection:
                found = connection.execute("select last_used_at from api_keys").fetchone()
            return found["last_used_at"] if found else None

        assert [used_after(seconds) for seconds in (0, 30, 60)] == [at, at, at + timedelta(seconds=60)]
        assert list(listening.notifies(timeout=0.3)) == []
    assert key


def test_without_a_thread_the_first_use_is_written_by_its_request_and_not_the_next(unswept: Settings) -> None:
    key = create_api_key(unswept.database_url, "used")
    times = [now(), now() + timedelta(minutes=2)]
    with make_pool(unswept.database_url, 1) as pool:
        clock = iter(times).__next__
        producers = Producers(ConfigCache(pool), KeyUses(pool, clock), None, now, threaded=False)
        for _ in times:
            asyncio.run(producers.of(key))
            with pool.connection() as connection:
                [row] = connection.execute("select last_used_at from api_keys").fetchall()
            assert row["last_used_at"] == times[0]


def test_a_publisher_that_stops_has_written_the_last_uses(unswept: Settings) -> None:
    key = create_api_key(unswept.database_url, "used")
    with serving(unswept) as url:
        assert httpx.get(f"{url}/v1/channels", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    with make_pool(unswept.database_url, 1) as pool, pool.connection() as connection:
        [row] = connection.execute("select last_used_at from api_keys").fetchall()
    assert datetime.now(UTC) - row["last_used_at"] < timedelta(minutes=1)


def test_uses_that_cannot_be_written_are_kept(unswept: Settings) -> None:
    key = create_api_key(unswept.database_url, "used")
    with make_pool(unswept.database_url, 1) as pool:
        with pool.connection() as connection:
            [row] = connection.execute("select key_id from api_keys").fetchall()
            connection.execute("alter table api_keys rename to hidden")
        uses = KeyUses(pool, now)
        uses.note(row["key_id"])
        uses.write()
        with pool.connection() as connection:
            connection.execute("alter table hidden rename to api_keys")
        uses.write()
        with pool.connection() as connection:
            [stored] = connection.execute("select last_used_at from api_keys").fetchall()
    assert stored["last_used_at"] is not None
    assert key


def command(publisher: Publisher, *arguments: str, status: int = 0) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "publisher_api.cli.keys", *arguments],
        env={**os.environ, "DATABASE_URL": publisher.database_url},
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == status, ended.stderr
    return (ended.stdout if not status else ended.stderr).strip()


def status_with(publisher: Publisher, key: str, path: str) -> int:
    """The status with a new key, once Postgres has announced it."""
    headers = {"Authorization": f"Bearer {key}"}
    waiting_for(lambda: httpx.get(f"{publisher.url}{path}", headers=headers).status_code != 401, "the key")
    return httpx.get(f"{publisher.url}{path}", headers=headers).status_code


def test_the_command_makes_a_key_that_sends_and_reads_and_nothing_else(publisher: Publisher) -> None:
    key = command(publisher, "create", "--producer", "by command")
    assert status_with(publisher, key, "/v1/notifications?user_id=ada") == 200
    assert status_with(publisher, key, "/v1/users") == 403
    assert status_with(publisher, key, "/v1/channels") == 403
    line = next(line for line in command(publisher, "list").splitlines() if key[:11] in line)
    assert "by command send,read active" in line


def test_the_command_rotates_and_revokes(publisher: Publisher) -> None:
    key = command(publisher, "create", "--producer", "turning", "--scope", "admin", "--days", "2")
    [old] = [line.split()[0] for line in command(publisher, "list").splitlines() if key[:11] in line]
    new = command(publisher, "rotate", old, "--overlap-hours", "1")
    assert [status_with(publisher, each, "/v1/audit-log") for each in (key, new)] == [200, 200]
    command(publisher, "revoke", old)
    headers = {"Authorization": f"Bearer {key}"}
    waiting_for(lambda: httpx.get(f"{publisher.url}/v1/users", headers=headers).status_code == 401, "the revocation")
    assert "GET /v1/api-keys lists all keys" in command(publisher, "revoke", old, status=1)
    assert "scopes" in command(publisher, "create", "--producer", "x", "--tenant", "a", "--scope", "admin", status=1)


@pytest.mark.parametrize("days", ["0", "99999999999", "1.5"])
def test_the_command_refuses_days_that_are_no_lifetime(publisher: Publisher, days: str) -> None:
    error = command(publisher, "create", "--producer", "x", f"--days={days}", status=2)
    assert error.splitlines()[-1].endswith("argument --days: must be a whole number from 1 to 36500")
