"""Limits through the API: how they are declared, which requests they refuse, and what a client is shown."""

import re
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.publisher.limited import MONTH, limit, send, send_batch
from tests.publisher.running import Publisher, create_api_key, notification, problem_of, serving


def structured(field: str) -> list[tuple[str, dict[str, int]]]:
    """A list of strings with integer parameters (RFC 9651). Fails for anything else."""
    found = []
    for member in field.split(", "):
        assert re.fullmatch(r'"[ -~]*"(;[a-z*][a-z0-9_.*-]*=-?\d{1,15})*', member), field
        name, *parameters = member.split(";")
        found.append(
            (name.strip('"'), {key: int(value) for key, _, value in (each.partition("=") for each in parameters)})
        )
    return found


def test_without_a_limit_there_are_no_fields_and_no_bucket(limited: Publisher) -> None:
    response = send(limited)
    assert response.status_code == 202
    assert not [name for name in response.headers if name.startswith("ratelimit")]
    assert limited.sql("select from limit_buckets") == []


def test_a_producer_sees_what_is_left_until_it_is_refused(limited: Publisher) -> None:
    limit(limited, "producer", 2, 100)
    responses = [send(limited) for _ in range(3)]
    assert [response.status_code for response in responses] == [202, 202, 429]
    fields = [
        (structured(each.headers["ratelimit-policy"]), structured(each.headers["ratelimit"])) for each in responses
    ]
    assert [policy for policy, _ in fields] == [[("producer", {"q": 2, "w": 100})]] * 3
    assert [left for _, left in fields] == [[("producer", {"r": r, "t": 50})] for r in (1, 0, 0)]
    refused = responses[2]
    assert refused.headers["retry-after"] == "50"
    assert refused.headers["content-type"] == "application/problem+json"
    problem = refused.json()
    assert problem["type"] == "urn:heliograph:problem:rate_limited"
    assert (problem["violated-policies"], problem["retry_after_seconds"]) == (["producer"], 50)
    assert "2 notifications in 100 s" in problem["detail"]


def test_the_burst_is_shown_beside_the_limit(limited: Publisher) -> None:
    limit(limited, "producer", 1, 10, burst=4)
    response = send(limited)
    assert structured(response.headers["ratelimit-policy"]) == [("producer", {"q": 1, "w": 10, "heliograph-burst": 4})]
    assert structured(response.headers["ratelimit"]) == [("producer", {"r": 3, "t": 10})]


def test_the_limit_of_one_producer_replaces_that_of_each(limited: Publisher) -> None:
    limit(limited, "producer", 1)
    limit(limited, "producer:tests", 3)
    other = httpx.Client(
        base_url=limited.url, headers={"Authorization": f"Bearer {create_api_key(limited.database_url, 'other')}"}
    )
    with other:
        others = [other.post("/v1/notifications", json=notification()).status_code for _ in range(2)]
    assert [send(limited).status_code for _ in range(4)] == [202, 202, 202, 429]
    assert others == [202, 429]
    assert limited.http.delete("/v1/limits/producer:tests").status_code == 204
    assert send(limited).status_code == 429
    assert limited.http.delete("/v1/limits/producer").status_code == 204
    assert send(limited).status_code == 202


def test_a_batch_takes_as_many_as_it_has_items_and_refuses_the_rest_alone(limited: Publisher) -> None:
    limit(limited, "producer", 3, 300)
    response = send_batch(limited, [notification() for _ in range(5)])
    assert response.status_code == 202
    found = response.json()
    assert (found["accepted"], found["rejected"]) == (3, 2)
    problems = [each["problem"] for each in found["results"][3:]]
    assert [(each["status"], each["retry_after_seconds"]) for each in problems] == [(429, 100), (429, 200)]
    assert structured(response.headers["ratelimit"]) == [("producer", {"r": 0, "t": 100})]
    refused = send_batch(limited, [notification(), notification(channels=["fax"])])
    assert problem_of(refused)[:2] == (429, "rate_limited")
    assert refused.headers["retry-after"] == "100"
    assert [each["problem"]["status"] for each in refused.json()["results"]] == [429, 422]


def test_a_batch_with_an_idempotency_key_is_accepted_as_a_whole_or_not_at_all(limited: Publisher) -> None:
    limit(limited, "producer", 3, 300, burst=4)
    key, items = uuid.uuid4().hex, [notification() for _ in range(3)]
    assert [send(limited).status_code for _ in range(2)] == [202, 202]
    refused = send_batch(limited, items, key)
    assert problem_of(refused)[:2] == (429, "rate_limited")
    assert refused.headers["retry-after"] == "100"
    assert structured(refused.headers["ratelimit"]) == [("producer", {"r": 2, "t": 100})]
    limited.sql("update limit_buckets set full_at = full_at - interval '100 seconds'")
    accepted = send_batch(limited, items, key)
    assert (accepted.status_code, accepted.json()["accepted"]) == (202, 3)
    repeated = send_batch(limited, items, key)
    assert (repeated.headers["idempotent-replayed"], repeated.json()) == ("true", accepted.json())


def test_a_batch_that_could_never_be_accepted_as_a_whole_is_too_large(limited: Publisher) -> None:
    limit(limited, "producer", 2)
    refused = send_batch(limited, [notification() for _ in range(3)], uuid.uuid4().hex)
    assert problem_of(refused)[:2] == (413, "too_large")
    assert "smaller parts" in refused.json()["detail"]
    assert "retry-after" not in refused.headers
    assert send_batch(limited, [notification() for _ in range(2)], uuid.uuid4().hex).status_code == 202


def test_a_request_that_the_limit_refuses_leaves_its_keys_free(limited: Publisher) -> None:
    limit(limited, "producer", 1)
    assert send(limited).status_code == 202
    key, dedup_key = uuid.uuid4().hex, uuid.uuid4().hex
    assert send(limited, key, dedup_key=dedup_key).status_code == 429
    limit(limited, "producer", 2)
    accepted = send(limited, key, dedup_key=dedup_key)
    assert (accepted.status_code, accepted.json().get("duplicate")) == (202, None)


def test_only_what_is_new_takes_a_token(limited: Publisher) -> None:
    limit(limited, "producer", 3)
    key, dedup_key = uuid.uuid4().hex, uuid.uuid4().hex
    body = {"user_id": "ada", "dedup_key": dedup_key}
    assert send(limited, key, **body).status_code == 202
    for _ in range(3):
        assert send(limited, key, **body).headers["idempotent-replayed"] == "true"
        assert send(limited, **body).json()["duplicate"] is True
        assert send(limited, channels=["fax"]).status_code == 422
    assert structured(send(limited).headers["ratelimit"])[0][1]["r"] == 1


def test_requests_to_two_instances_at_once_get_exactly_the_limit(limited: Publisher) -> None:
    limit(limited, "producer", 50)
    with serving(limited.settings) as second, httpx.Client(headers=limited.http.headers, timeout=20) as client:

        def sent(number: int) -> int:
            url = (limited.url, second)[number % 2]
            return client.post(f"{url}/v1/notifications", json=notification(user_id=f"u{number}")).status_code

        with ThreadPoolExecutor(16) as threads:
            statuses = list(threads.map(sent, range(200)))
    assert (statuses.count(202), statuses.count(429)) == (50, 150)


def test_a_limit_is_declared_read_listed_and_deleted(limited: Publisher) -> None:
    declared = limit(limited, "producer:shop", 5, 60)
    assert (declared["scope"], declared["limit"], declared["burst"]) == ("producer:shop", 5, None)
    assert limited.http.put("/v1/limits/producer:shop", json={"limit": 5.0, "window_seconds": 60}).json()["limit"] == 5
    declared = limited.http.get("/v1/limits/producer:shop").json()
    assert limited.http.get("/v1/limits").json() == {"limits": [declared]}
    assert limited.http.delete("/v1/limits/producer:shop").status_code == 204
    gone = [limited.http.get("/v1/limits/producer:shop"), limited.http.delete("/v1/limits/producer:shop")]
    assert [each.status_code for each in gone] == [404, 404]


@pytest.mark.parametrize(
    ("scope", "fields", "field"),
    [
        ("producer", {"limit": 0}, "limit"),
        ("producer", {"limit": "1"}, "limit"),
        ("producer", {"limit": True}, "limit"),
        ("producer", {"limit": 1.5}, "limit"),
        ("producer", {"limit": 1_000_001}, "limit"),
        ("producer", {"window_seconds": MONTH + 1}, "window_seconds"),
        ("producer", {"burst": 0}, "burst"),
        ("producer", {"per": "second"}, "per"),
        ("producers", {}, "scope"),
        ("user:ada", {}, "scope"),
        ("channel:inapp", {}, "scope"),
    ],
)
def test_a_limit_that_could_not_work_is_refused_by_field(
    limited: Publisher, scope: str, fields: dict[str, object], field: str
) -> None:
    response = limited.http.put(f"/v1/limits/{scope}", json={"limit": 1, "window_seconds": 1, **fields})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, field)
    assert limited.http.get("/v1/limits").json() == {"limits": []}


def test_a_channel_that_does_not_exist_has_no_limit(limited: Publisher) -> None:
    response = limited.http.put("/v1/limits/channel:fax", json={"limit": 1, "window_seconds": 1})
    assert problem_of(response) == (404, "not_found", [])
    assert "PUT /v1/channels/fax" in response.json()["detail"]


def test_there_are_at_most_a_thousand_limits_and_each_can_be_changed(limited: Publisher) -> None:
    limit(limited, "producer:shop", 1)
    limited.sql("""
        insert into limits (scope, declaration)
        select 'producer:p' || number, '{"limit": 1, "window_seconds": 1}' from generate_series(1, 999) number
    """)
    refused = limited.http.put("/v1/limits/user", json={"limit": 1, "window_seconds": 1})
    assert problem_of(refused) == (422, "invalid_request", ["scope"])
    assert limit(limited, "producer:shop", 2)["limit"] == 2
    limited.sql("delete from limits")
