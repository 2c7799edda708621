"""The filters of our own: links, single lines, and times."""

from typing import Any

import pytest

from publisher_api.planning import rendering
from publisher_api.refusal import Refusal


def text(template: str, field: str = "text", **variables: Any) -> str:
    rendered: str = rendering.render(template, variables, field)
    return rendered


def refused(template: str, **variables: Any) -> str:
    with pytest.raises(Refusal) as caught:
        text(template, **variables)
    [(_, message)] = caught.value.fields
    return message


@pytest.mark.parametrize(
    "link", ["https://a.example", "https://a.example/?next=https://b.example#c", "HTTPS://A.EXAMPLE/"]
)
def test_an_https_link_stays_as_it_is(link: str) -> None:
    assert text("{{ link | https }}", link=link) == link


@pytest.mark.parametrize(
    "link",
    ["http://a.example", "javascript:alert(1)", "//a.example", "/a", "a.example", "", None, 7, [], "https://", "https:///a",
     "https://a b", "https://a\n", " https://a.example", "https://a.example/\u202e"],
)  # fmt: skip
def test_what_is_no_https_link_is_refused(link: object) -> None:
    assert refused("{{ link | https }}", link=link) == "a link must start with https:// and have no spaces"


def test_a_link_in_html_is_escaped() -> None:
    assert text("{{ link | https }}", "html", link='https://a.example/?a=1&b="') == "https://a.example/?a=1&amp;b=&#34;"


@pytest.mark.parametrize("name", ["https", "line(9)", "local_time(none)"])
def test_a_missing_variable_is_named(name: str) -> None:
    assert refused("{{ missing | " + name + " }}") == "the payload lacks a variable: 'missing' is undefined"


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("short", "short"),
        ("exactly 10", "exactly 10"),
        ("more than ten", "more th..."),
        ("cut at a space", "cut at..."),
        (" a \r\n b\u2028c\x85d\t\te ", "a b c d e"),
        (12345678901, "1234567..."),
        ("", ""),
    ],
)
def test_a_line_has_no_breaks_and_no_more_characters_than_it_may(value: object, line: str) -> None:
    assert text("{{ value | line(10) }}", value=value) == line


def test_a_line_of_html_is_cut_between_characters_and_stays_escaped() -> None:
    assert text("{{ value | line(5) }}", "html", value="<&<&<&") == "&lt;&amp;..."
    block = "{% filter line(8) %}<b>{{ value }}</b>{% endfilter %}"
    assert text(block, "html", value="<i>") == "&lt;b&gt;&lt;i..."


def test_a_line_without_room_for_the_dots_is_refused() -> None:
    assert refused("{{ 'long' | line(2) }}") == "a line has at least 3 characters"


@pytest.mark.parametrize(
    ("value", "zone", "shown"),
    [
        ("2026-12-01T14:03:00Z", "Europe/Berlin", "1 December 2026, 15:03 CET"),
        ("2026-07-01T23:30:00+00:00", "Europe/London", "2 July 2026, 00:30 BST"),
        ("2026-12-01 14:03:00.123+05:30", None, "1 December 2026, 08:33 UTC"),
        ("2026-12-01T14:03:00Z", "Asia/Dubai", "1 December 2026, 18:03 UTC+04"),
        ("2026-12-01T14:03", "Asia/Dubai", "1 December 2026, 14:03"),
        ("2026-12-04", "Asia/Tokyo", "4 December 2026"),
        ("this afternoon", "Asia/Tokyo", "this afternoon"),
        ("2026-13-41", "Asia/Tokyo", "2026-13-41"),
        ("9999-12-31T23:00:00Z", "Asia/Tokyo", "9999-12-31T23:00:00Z"),
        ("20261201", "Asia/Tokyo", "20261201"),
        (20261201, "Asia/Tokyo", "20261201"),
    ],
)
def test_a_time_is_shown_in_the_time_zone_and_other_words_as_they_are(
    value: object, zone: str | None, shown: str
) -> None:
    assert text("{{ value | local_time(zone) }}", value=value, zone=zone) == shown


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../secrets", "/etc/passwd", "a" * 300, "Europe"])
def test_a_time_zone_that_does_not_exist_is_refused(zone: str) -> None:
    message = refused("{{ '2026-12-01T14:03:00Z' | local_time(zone) }}", zone=zone)
    assert message == "there is no time zone of this name"
