"""A user is erased everywhere: in every table, in the live inbox, and in what the transport still holds."""

import uuid

import pytest
from psycopg import sql

from tests.e2e.internals import every_profile
from tests.e2e.stack_driver import StackDriver
from tests.e2e.waiting import eventually

pytestmark = [pytest.mark.e2e, every_profile]


def tables_with(driver: StackDriver, text: str) -> list[str]:
    """Every table of Postgres that holds ``text``."""
    statement = "select schemaname, tablename from pg_tables where schemaname in ('public', 'state', 'transport')"
    found = []
    for row in driver.sql(statement):
        table = sql.Identifier(row["schemaname"], row["tablename"])
        query = sql.SQL("select t::text as row from {} as t").format(table).as_string()
        if any(each in other["row"] for other in driver.sql(query) for each in (text, text.encode().hex())):
            found.append(row["tablename"])
    return found


def minute_over(driver: StackDriver, erasure_id: object) -> bool:
    """Whether only the minute is left that an erasure lasts at least; then this lets it be over.

    What is erased, and until when, stays as it was.
    """
    moved = """
        update erasures set settled_at = now(), next_at = now()
         where erasure_id = %s and rows_erased_at is null
           and not exists (select from notifications n where n.user_id = erasures.user_id) returning 1 as moved
    """
    return bool(driver.sql(moved, erasure_id))


def test_an_erased_user_is_found_nowhere(driver: StackDriver) -> None:
    user = f"q{uuid.uuid4().hex}"
    email = f"{user}@example.com"
    profile = {"email": email, "attributes": {"name": user}}
    driver.api.put(f"/v1/users/{user}", json=profile).raise_for_status()
    driver.api.put(f"/v1/users/{user}/preferences", json={"channel_types": {"sms": False}}).raise_for_status()
    sent = [driver.send(channel, user_id=user, payload={"name": user}) for channel in ("email", "inapp")]
    for notification_id in sent:
        driver.closed_delivery(notification_id)
    driver.send("email", user_id=user, deliver_at="2027-01-31T09:00:00Z")
    assert driver.internals.inbox(user)

    erasure = erase(driver, user)
    assert erasure["status"] == "running"
    eventually(lambda: not driver.internals.inbox(user), "the inbox to be erased")
    eventually(lambda: minute_over(driver, erasure["erasure_id"]), "the rows to be erased")
    complete = eventually(lambda: ended(driver, erasure["erasure_id"]), "the erasure to be complete")
    assert (complete["notifications"], complete["deliveries"]) == (3, 3)
    assert tables_with(driver, user) == []
    assert erase(driver, user) == complete


def test_a_user_who_comes_back_works_as_new(driver: StackDriver) -> None:
    user = f"q{uuid.uuid4().hex}"
    driver.closed_delivery(driver.send("inapp", user_id=user))
    erase(driver, user)
    eventually(lambda: not driver.internals.inbox(user), "the inbox to be erased")
    driver.api.put(f"/v1/users/{user}", json={"email": f"{user}@example.com"}).raise_for_status()
    notification_id = driver.send("inapp", user_id=user)
    assert driver.closed_delivery(notification_id)["status"] == "sent"
    assert list(driver.internals.inbox(user)) == [notification_id]


def erase(driver: StackDriver, user: str) -> dict[str, object]:
    response = driver.api.delete(f"/v1/notifications/user/{user}")
    assert response.status_code == 202
    found: dict[str, object] = response.json()
    return found


def ended(driver: StackDriver, erasure_id: object) -> dict[str, object] | None:
    found: dict[str, object] = driver.api.get(f"/v1/erasures/{erasure_id}").raise_for_status().json()
    return found if found["status"] == "complete" else None
