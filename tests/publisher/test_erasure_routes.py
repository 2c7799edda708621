"""An erasure through the API."""

import uuid

from tests.publisher.erasing import new_name
from tests.publisher.running import Publisher


def test_delete_over_http_answers_202_and_where_to_ask(publisher: Publisher) -> None:
    user = new_name()
    publisher.http.put(f"/v1/users/{user}", json={"email": f"{user}@example.com"}).raise_for_status()
    response = publisher.http.delete(f"/v1/notifications/user/{user}")
    assert (response.status_code, response.json()["status"]) == (202, "running")
    asked = publisher.http.get(response.headers["location"])
    assert (asked.status_code, asked.json()["erasure_id"]) == (200, response.json()["erasure_id"])
    assert publisher.http.get(f"/v1/users/{user}").status_code == 404
    [command] = publisher.topic.commands(user)
    assert command.command == "erase"
    assert publisher.http.get(f"/v1/erasures/{uuid.uuid4()}").status_code == 404
