"""The preloaded templates: in every migrated database, and rendered by the API as they are sent."""

import json
import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from deploy import template_docs
from local import postgres
from postgres.pool import Pool, make_pool
from publisher_api.planning import rendering
from publisher_api.planning.compose import OURS
from publisher_api.settings import Settings
from publisher_api.templates.preloading import common_variables, preload
from shared.sms_text import size_of
from tests.preloaded import ARABIC, CHANNELS, HTML, LINES, LONG, TEMPLATES, required, with_words
from tests.publisher.running import Publisher, create_api_key, problem_of, serving

NAMES = {
    "ORDER_CONFIRMATION", "PASSWORD_RESET", "SHIPPING_UPDATE", "INVOICE_PAID", "WELCOME_NEW_USER", "WEEKLY_DIGEST",
    "ACCOUNT_LOCKED", "PROMOTION_FLASH_SALE", "SUPPORT_TICKET_UPDATE", "LOW_STOCK_ALERT",
}  # fmt: skip
FOUR_SEGMENTS = 4 * 153
GMAIL_CLIPS_AT = 102 * 1024
PAGE = template_docs.PAGE.read_text(encoding="utf-8")
PAYLOADS = dict(re.findall(r"^### (\w+)$.*?^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
TIMES = {
    name: times
    for name, template in TEMPLATES.items()
    if (times := [each for each, value in template.sample.items() if str(value).endswith("Z")])
}
"""By template, its variables whose sample is a time."""

each_template = pytest.mark.parametrize("name", TEMPLATES)


class Tags(HTMLParser):
    """The tags of a page, in order, with the names of their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.found.append((f"/{tag}", ()))


def render(publisher: Publisher, name: str, payload: Any) -> dict[str, Any]:
    """The content by channel."""
    response = publisher.http.post(f"/v1/templates/{name}/render", json={"payload": payload})
    assert response.status_code == 200, response.text
    content: dict[str, Any] = response.json()["content"]
    return content


def test_the_ten_are_there_for_each_channel_and_can_be_stored_under_another_name(publisher: Publisher) -> None:
    assert set(TEMPLATES) == NAMES
    for name, template in TEMPLATES.items():
        stored = publisher.http.get(f"/v1/templates/{name}").json()
        assert stored["content"] == template.fields.content
        assert tuple(sorted(stored["content"])) == CHANNELS
        copied = publisher.http.put(f"/v1/templates/copy-of-{name}", json={"content": stored["content"]})
        assert copied.json()["variables"] == stored["variables"]


@each_template
def test_its_files_describe_exactly_the_variables_that_it_reads(name: str) -> None:
    template = TEMPLATES[name]
    read = rendering.variables_of(template.fields.content) - OURS
    assert read == template.required.keys() | template.optional.keys() | common_variables().keys()
    assert template.sample.keys() <= read
    assert template.required.keys() <= template.sample.keys()


@each_template
def test_no_name_of_the_layout_hides_a_variable(name: str) -> None:
    """A macro or a variable that the layout sets would be read instead of the payload's."""
    template = TEMPLATES[name]
    own = re.findall(r"{%-? (?:macro|set) (\w+)", json.dumps(template.fields.content))
    assert set(own) & (template.required.keys() | template.optional.keys() | common_variables().keys()) == set()


@each_template
def test_the_documented_payload_is_accepted_and_sent_as_it_is_rendered(publisher: Publisher, name: str) -> None:
    payload = json.loads(PAYLOADS[name])
    user_id = f"u-{uuid.uuid4().hex[:8]}"
    publisher.http.put(f"/v1/users/{user_id}", json={"email": "ada@example.com", "phone": "+447700900123"})
    publisher.http.post(f"/v1/users/{user_id}/devices", json={"token": uuid.uuid4().hex, "platform": "ios"})
    accepted = publisher.accept(user_id=user_id, channels=list(CHANNELS), template_name=name, payload=payload)
    sent = {each.channel: each.content for each in publisher.topic.deliveries(accepted, count=4)}
    assert sent == render(publisher, name, payload)


@each_template
def test_it_renders_with_the_required_variables_only_and_with_none_for_the_others(
    publisher: Publisher, name: str
) -> None:
    template = TEMPLATES[name]
    bare = required(template)
    rendered = render(publisher, name, bare)
    assert "None" not in json.dumps(rendered)
    empty = dict.fromkeys([*template.optional, *common_variables()]) | bare
    assert render(publisher, name, empty) == rendered
    assert not re.search(r"\n{3}|[ \t]\n|  \S*$", rendered["email"]["text"]), rendered["email"]["text"]


@each_template
def test_each_required_variable_is_required(publisher: Publisher, name: str) -> None:
    for missing in TEMPLATES[name].required:
        payload = {each: value for each, value in TEMPLATES[name].sample.items() if each != missing}
        response = publisher.http.post(f"/v1/templates/{name}/render", json={"payload": payload})
        assert problem_of(response)[:2] == (422, "template_failed")
        assert f"'{missing}' is undefined" in response.text


@each_template
@pytest.mark.parametrize("words", [HTML, ARABIC, LONG, LINES], ids=["html", "arabic", "long", "lines"])
def test_hostile_values_are_escaped_and_break_no_limit(publisher: Publisher, name: str, words: str) -> None:
    payload = with_words(TEMPLATES[name].sample, words)
    content = render(publisher, name, payload)
    assert len(content["email"]["subject"]) <= 150
    assert len(content["push"]["title"]) <= 50
    assert len(content["push"]["body"]) <= 150
    assert len(content["inapp"]["title"]) <= 150
    assert len(content["inapp"]["body"]) <= 300
    assert len(content["sms"]["text"]) <= FOUR_SEGMENTS
    assert len(content["email"]["html"].encode()) < GMAIL_CLIPS_AT
    if words is not LINES:  # a line break becomes a tag where lines stay
        usual = render(publisher, name, with_words(TEMPLATES[name].sample, "words"))
        assert Tags(content["email"]["html"]).found == Tags(usual["email"]["html"]).found


@each_template
@pytest.mark.parametrize("link", ["javascript:alert(1)", "http://a.example", "/orders", "https://a b", "https://"])
def test_a_link_that_is_not_https_is_refused(publisher: Publisher, name: str, link: str) -> None:
    sample = TEMPLATES[name].sample
    links = [each for each in sample if each.endswith("_url")]
    assert links
    for each in links:
        response = publisher.http.post(f"/v1/templates/{name}/render", json={"payload": {**sample, each: link}})
        assert problem_of(response)[:2] == (422, "template_failed")
        assert "a link must start with https://" in response.text


@each_template
def test_short_texts_are_short_with_the_sample(publisher: Publisher, name: str) -> None:
    content = render(publisher, name, TEMPLATES[name].sample)
    sms = size_of(content["sms"]["text"])
    assert (sms.encoding, sms.segments <= 2) == ("GSM-7", True)
    assert "..." not in content["push"]["title"] + content["email"]["subject"]


@each_template
def test_a_tap_on_a_push_notification_opens_the_page_that_the_inbox_opens(publisher: Publisher, name: str) -> None:
    content = render(publisher, name, TEMPLATES[name].sample)
    assert content["push"]["link"] == content["inapp"]["url"] != ""
    assert "data" not in TEMPLATES[name].fields.content["push"]


@each_template
def test_an_email_loads_nothing_and_can_be_read_without_html(publisher: Publisher, name: str) -> None:
    email = render(publisher, name, TEMPLATES[name].sample)["email"]
    assert not re.search(r"<(script|link|img|iframe|form)|\bsrc=|url\(|@import|\bon\w+=", email["html"])
    assert set(re.findall(r'href="(\w+:)', email["html"])) <= {"https:", "mailto:"}
    assert len(email["html"].encode()) < 16 * 1024  # each notification stores it
    links = set(re.findall(r'href="(https:[^"]+)', email["html"]))
    assert [link for link in links if link not in email["text"]] == []
    assert "<" not in email["text"]
    assert "\n\n\n" not in email["text"]


@pytest.mark.parametrize("name", TIMES)
def test_times_are_shown_in_the_time_zone_of_the_user(publisher: Publisher, name: str) -> None:
    user_id = f"u-{uuid.uuid4().hex[:8]}"
    publisher.http.put(f"/v1/users/{user_id}", json={"timezone": "Asia/Tokyo"})
    payload = {**TEMPLATES[name].sample, **dict.fromkeys(TIMES[name], "2026-12-31T20:30:00Z")}
    body = {"payload": payload, "user_id": user_id}
    content = publisher.http.post(f"/v1/templates/{name}/render", json=body).json()["content"]
    for text in (content["email"]["text"], content["email"]["html"]):
        assert text.count("1 January 2027, 05:30 JST") >= len(TIMES[name])


def test_most_samples_have_a_time() -> None:
    assert len(TIMES) > 6


def test_the_page_lists_every_template_as_its_files_are() -> None:
    assert template_docs.with_templates(PAGE) == PAGE, "run `python -m deploy.template_docs`"
    assert PAYLOADS.keys() == TEMPLATES.keys()


@pytest.fixture
def empty(unswept: Settings) -> Iterator[Pool]:
    """A migrated database without templates."""
    with make_pool(unswept.database_url, 4) as pool:
        with pool.connection() as connection:
            connection.execute("truncate template_versions cascade")
        yield pool


def test_a_migration_adds_what_is_missing_and_keeps_what_is_there(unswept: Settings, empty: Pool) -> None:
    own = {"sms": {"text": "Your code: {{ code }}"}}
    headers = {"Authorization": f"Bearer {create_api_key(unswept.database_url, 'tests')}"}
    with serving(unswept) as url, httpx.Client(base_url=url, headers=headers) as http:

        def stored() -> dict[str, Any]:
            return {name: http.get(f"/v1/templates/{name}").json() for name in sorted(NAMES)}

        http.put("/v1/templates/PASSWORD_RESET", json={"content": own}).raise_for_status()
        postgres.migrate(unswept.database_url)
        migrated = stored()
        expected = {name: template.fields.content for name, template in TEMPLATES.items()} | {"PASSWORD_RESET": own}
        assert {name: found["content"] for name, found in migrated.items()} == expected
        postgres.migrate(unswept.database_url)
        assert stored() == migrated
        assert preload(empty) == []


def test_each_is_stored_once_by_migrations_at_the_same_time(empty: Pool) -> None:
    with ThreadPoolExecutor(4) as threads:
        created = [name for names in threads.map(lambda _: preload(empty), range(4)) for name in names]
    assert sorted(created) == sorted(NAMES)
