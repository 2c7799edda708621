"""Templates through the API: versions, languages, tenants and previews."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.publisher.running import Publisher, notification
from tests.publisher.topic import waiting_for


def new_name() -> str:
    return f"t-{uuid.uuid4().hex[:8]}"


def put(publisher: Publisher, name: str, title: str, *, tenant: str | None = None, **fields: Any) -> dict[str, Any]:
    """Store a version whose title in the inbox is ``title``."""
    body = {"content": {"inapp": {"title": title}}, **fields}
    query = {"tenant": tenant} if tenant else {}
    response = publisher.http.put(f"/v1/templates/{name}", json=body, params=query)
    assert response.status_code == 200, response.text
    stored: dict[str, Any] = response.json()
    return stored


def sent(publisher: Publisher, name: str, **fields: Any) -> tuple[str, dict[str, Any]]:
    """The title that a notification with this template has, and the notification."""
    notification_id = publisher.accept(template_name=name, **fields)
    [message] = publisher.topic.deliveries(notification_id)
    return message.content["title"], publisher.read(notification_id)


def test_each_change_is_a_version_that_stays_as_it_is(publisher: Publisher) -> None:
    name = new_name()
    first, second = put(publisher, name, "one"), put(publisher, name, "two {{ amount }}")
    assert (first["version"], second["version"], second["published_version"]) == (1, 2, 2)
    assert put(publisher, name, "two {{ amount }}") == second, "what is published already gets no new version"
    path = f"/v1/templates/{name}"
    assert publisher.http.get(path).json() == second
    assert publisher.http.get(f"{path}/versions/1").json() == first | {"published_version": 2, "latest_version": 2}
    listed = publisher.http.get(f"{path}/versions").json()
    assert [(each["version"], each["published"]) for each in listed["versions"]] == [(2, True), (1, False)]
    assert listed["next"] is None


def test_a_notification_says_which_version_it_used_and_keeps_it(publisher: Publisher) -> None:
    name = new_name()
    put(publisher, name, "one")
    title, found = sent(publisher, name)
    assert (title, found["template_version"], found["tenant_template_version"]) == ("one", 1, None)
    put(publisher, name, "two")
    assert sent(publisher, name)[0] == "two"
    assert publisher.read(found["notification_id"])["template_version"] == 1


def test_an_older_version_is_published_again_and_a_request_can_name_another(publisher: Publisher) -> None:
    name = new_name()
    put(publisher, name, "one")
    put(publisher, name, "two")
    rolled_back = publisher.http.post(f"/v1/templates/{name}/publish", json={"version": 1}).json()
    assert (rolled_back["version"], rolled_back["published_version"], rolled_back["latest_version"]) == (1, 1, 2)
    assert sent(publisher, name)[0] == "one"
    title, found = sent(publisher, name, template_version=2)
    assert (title, found["template_version"]) == ("two", 2)


def test_a_draft_is_used_when_it_is_named_or_published(publisher: Publisher) -> None:
    name = new_name()
    draft = put(publisher, name, "draft", publish=False)
    assert (draft["version"], draft["published_version"]) == (1, None)
    refused = publisher.http.post("/v1/notifications", json=notification(template_name=name)).json()
    assert (refused["errors"][0]["field"], "only drafts" in refused["detail"]) == ("template_name", True)
    assert sent(publisher, name, template_version=1)[0] == "draft"
    publisher.http.post(f"/v1/templates/{name}/publish", json={"version": 1}).raise_for_status()
    assert sent(publisher, name)[0] == "draft"


def test_the_latest_draft_stored_again_is_published_under_its_version(publisher: Publisher) -> None:
    name = new_name()
    put(publisher, name, "one")
    assert put(publisher, name, "two", publish=False)["version"] == 2
    assert publisher.http.get(f"/v1/templates/{name}").json()["version"] == 1
    published = put(publisher, name, "two")
    assert (published["version"], published["published_version"]) == (2, 2)


def test_versions_stored_at_the_same_time_are_numbered_in_turn(publisher: Publisher) -> None:
    name = new_name()
    with ThreadPoolExecutor(4) as threads:
        stored = list(threads.map(lambda title: put(publisher, name, title)["version"], "abcdefgh"))
    assert sorted(stored) == list(range(1, 9))


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("GET", "none", None, 404, "Create it with PUT /v1/templates/none."),
        ("GET", "none?tenant=acme", None, 404, "Create it with PUT /v1/templates/none?tenant=acme."),
        ("GET", "none/versions", None, 404, "not found"),
        ("GET", "known/versions/7", None, 404, "GET /v1/templates/known/versions lists its versions."),
        ("GET", "known/versions/0", None, 422, "version"),
        ("POST", "known/publish", {"version": 7}, 404, "Version 7 of the template 'known' not found."),
        ("POST", "known/publish", {}, 422, "version"),
        ("POST", "known/publish", {"version": "1"}, 422, "version"),
        ("POST", "known/publish", {"version": 1.5}, 422, "version"),
        ("POST", "known/publish", {"version": 7.0}, 404, "Version 7 of"),
        ("POST", "known/render", {"payload": {}, "version": 7}, 404, "Version 7"),
        ("POST", "known/render", {"payload": {}, "locale": "?"}, 422, "BCP 47"),
        ("PUT", "known", {"content": {"inapp": {"title": "x"}}, "locales": {"pt": {"sms": {"text": "x"}}}}, 422,
         "locales.pt.sms"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_do(
    publisher: Publisher, method: str, path: str, body: Any, status: int, said: str
) -> None:
    put(publisher, "known", "known")
    response = publisher.http.request(method, f"/v1/templates/{path}", json=body)
    assert (response.status_code, said in response.json()["detail"]) == (status, True), response.text


def test_templates_are_listed_page_by_page_each_tenants_apart(publisher: Publisher) -> None:
    tenant = f"tenant-{uuid.uuid4().hex[:8]}"
    for name in ("b", "a", "c"):
        put(publisher, name, "one", tenant=tenant)
    put(publisher, "c", "two", tenant=tenant, publish=False)
    query: dict[str, str | int] = {"tenant": tenant, "limit": 2}
    page = publisher.http.get("/v1/templates", params=query).json()
    assert ([each["template_name"] for each in page["templates"]], page["next"]) == (["a", "b"], "b")
    page = publisher.http.get("/v1/templates", params=query | {"after": page["next"]}).json()
    [last] = page["templates"]
    assert (last["template_name"], last["published_version"], last["latest_version"]) == ("c", 1, 2)
    assert (last["tenant"], page["next"]) == (tenant, None)
    shared = publisher.http.get("/v1/templates", params={"limit": 100}).json()["templates"]
    assert {each["tenant"] for each in shared} == {None}


def test_a_user_gets_the_variant_of_their_language(publisher: Publisher) -> None:
    name, user = new_name(), f"u-{uuid.uuid4().hex[:8]}"
    publisher.http.put(f"/v1/users/{user}", json={"locale": "pt-br"}).raise_for_status()
    put(publisher, name, "Paid", locales={"pt": {"inapp": {"title": "Pago"}}})
    title, found = sent(publisher, name, user_id=user)
    assert (title, found["locale"]) == ("Pago", "pt-BR")
    assert sent(publisher, name, user_id=user, locale="fr")[0] == "Paid"
    refused = publisher.http.post("/v1/notifications", json=notification(template_name=name, locale="not a tag"))
    assert refused.json()["errors"][0]["field"] == "locale"


def test_a_tenants_own_template_replaces_only_what_it_has(publisher: Publisher) -> None:
    name, tenant = new_name(), f"tenant-{uuid.uuid4().hex[:8]}"
    put(publisher, name, "Paid", locales={"pt": {"inapp": {"title": "Pago"}}})
    put(publisher, name, "Paid to Acme", tenant=tenant)
    title, found = sent(publisher, name, tenant=tenant)
    assert (title, found["template_version"], found["tenant_template_version"]) == ("Paid to Acme", 1, 1)
    assert sent(publisher, name, tenant=tenant, locale="pt")[0] == "Pago", "which the tenant has not replaced"
    assert sent(publisher, name, tenant="another")[0] == "Paid"
    for owner, locale, shown in (
        (tenant, "pt-PT", ("Pago", {"inapp": "pt"})),
        (tenant, "de", ("Paid to Acme", {"inapp": None})),
        ("another", "pt-PT", ("Pago", {"inapp": "pt"})),
    ):
        rendered = publisher.http.post(
            f"/v1/templates/{name}/render", params={"tenant": owner}, json={"payload": {}, "locale": locale}
        ).json()
        assert (rendered["content"]["inapp"]["title"], rendered["locales"]) == shown


def test_a_preview_shows_a_version_a_language_and_the_size_of_an_sms(publisher: Publisher) -> None:
    name = new_name()
    content = {"sms": {"text": "Paid {{ amount }}"}, "email": {"subject": "Paid", "html": "<p>Paid {{ amount }}</p>"}}
    publisher.http.put(
        f"/v1/templates/{name}", json={"content": content, "locales": {"pt": {"sms": {"text": "Você pagou ção"}}}}
    ).raise_for_status()
    put(publisher, name, "later")
    body = {"payload": {"amount": "10 €"}, "version": 1, "locale": "pt-BR"}
    rendered = publisher.http.post(f"/v1/templates/{name}/render", json=body).json()
    assert rendered == {
        "version": 1,
        "content": {
            "email": {"subject": "Paid", "text": "Paid 10 €", "html": "<p>Paid 10 €</p>"},
            "sms": {"text": "Você pagou ção"},
        },
        "locales": {"email": None, "sms": "pt"},
        "sms": {"sms": {"encoding": "UCS-2", "characters": 14, "segments": 1}},
    }
    rendered = publisher.http.post(f"/v1/templates/{name}/render", json=body | {"locale": "de"}).json()
    assert rendered["sms"]["sms"] == {"encoding": "GSM-7", "characters": 10, "segments": 1}


def test_a_preview_with_a_notification_has_its_language_and_actor(publisher: Publisher) -> None:
    name = new_name()
    title = "Paid {{ amount }} by {{ actor_user_id }}"
    put(publisher, name, title, locales={"pt": {"inapp": {"title": "Pago {{ amount }}"}}})
    notification_id = publisher.accept(template_name=name, locale="pt-PT", payload={"amount": 7}, actor_user_id="bob")
    path = f"/v1/templates/{name}/render"
    for locale, title in (({}, "Pago 7"), ({"locale": "en"}, "Paid 7 by bob")):
        rendered = publisher.http.post(path, json={"notification_id": notification_id, **locale}).json()
        assert rendered["content"]["inapp"]["title"] == title


def test_a_failing_variant_is_named_in_the_refusal(publisher: Publisher) -> None:
    name = new_name()
    put(publisher, name, "Paid", locales={"pt": {"inapp": {"title": "Pago {{ amount }}"}}})
    refused = publisher.http.post("/v1/notifications", json=notification(template_name=name, locale="pt", payload={}))
    assert refused.json()["errors"][0]["field"] == "template.locales.pt.inapp.title"


def test_a_template_is_the_same_for_the_release_before(publisher: Publisher) -> None:
    """Which reads and writes the table ``templates`` only."""
    name = new_name()
    locales = {"pt": {"inapp": {"title": "um"}}}
    put(publisher, name, "one", locales=locales)
    put(publisher, name, "draft", publish=False)
    put(publisher, name, "Acme", tenant="acme")
    read = "select content from templates where template_name = %s"
    assert publisher.sql(read, name) == [{"content": {"inapp": {"title": "one"}}}]
    written = {"inapp": {"title": "by the old release"}}
    publisher.sql(
        "insert into templates (template_name, content) values (%s, %s) on conflict (template_name)"
        " do update set content = excluded.content, updated_at = now()",
        name,
        Jsonb(written),
    )
    found = publisher.http.get(f"/v1/templates/{name}").json()
    assert (found["version"], found["published_version"], found["content"]) == (3, 3, written)
    assert found["locales"] == locales
    waiting_for(lambda: sent(publisher, name)[0] == "by the old release", "the publisher to use it")
    publisher.http.post(f"/v1/templates/{name}/publish", json={"version": 1}).raise_for_status()
    assert publisher.sql(read, name) == [{"content": {"inapp": {"title": "one"}}}]


def test_a_published_version_cannot_be_deleted(publisher: Publisher) -> None:
    name = new_name()
    put(publisher, name, "one")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        publisher.sql("delete from template_versions where template_name = %s", name)
