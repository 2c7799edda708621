"""The text of a mail that has HTML only."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.exceptions import SecurityError

from publisher_api.planning.plain_text import text_of
from publisher_api.planning.template_limits import limited
from publisher_api.refusal import RefusalCode
from tests.unit.publisher.planned import configuration, planned, refused

MAIL = """<!doctype html><html><head><title>Hidden</title><style>p { color: red }</style></head><body>
<div style="display: none">A preview<div>of it</div></div>
<h1>Hello &amp; <b>welcome</b></h1>
<p>You paid<br>10&nbsp;€ &lt;today&gt;.</p>
<ul><li>one</li><li>two</li></ul>
<table><tr><td>Sum</td><td>10</td></tr><tr><td>Tax</td><td>2</td></tr></table>
<!-- a comment --><!--[if mso]><p>Outlook</p><![endif]--><![if !mso]><p>Everywhere else</p><![endif]>
<p><a href="https://shop.example/o?a=1&amp;b=2">See it</a> <a href="https://shop.example">https://shop.example</a>
<a href="#top">up</a> <img src="logo.png" alt="The shop"></p><script>alert(1)</script></body></html>"""


def test_a_text_has_what_a_reader_sees() -> None:
    assert text_of(MAIL).split("\n") == [
        "Hello & welcome", "", "You paid", "10 € <today>.", "", "- one", "- two", "", "Sum 10", "Tax 2", "",
        "Everywhere else", "", "See it (https://shop.example/o?a=1&b=2) https://shop.example up The shop",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "html",
    [
        "<p style='display:none'>Hidden<p>Seen",
        "<p style='display:none'>Hidden <b>too<div>Seen</div>",
        "<table><tr><td style='display:none'>Hidden<td>Seen</table>",
        "<table><tr style='display:none'><td>Hidden<tr><td>Seen</table>",
        "<ul><li style='display:none'>Hidden<ul><li>Hidden</ul><p>Hidden<li>Seen</ul>",
        "<dl><dt style='display:none'>Hidden<dd>Seen</dl>",
        "<table><tr><td><div style='display:none'>Hidden</td></tr></table>Seen",
        "<div><span style='display:none'>Hidden</div>Seen",
        "<b><div style='display:none'>Hidden</b> too</i></div>Seen",
        "<div style='display:none'><div>Hidden</div><table><tr><td><p>Hidden</td></tr></table>Hidden</div>Seen",
        "<html><head><title>Hidden</title><meta charset='utf-8'><p>Seen",
        "<head><style>p {}</style><body>Seen",
    ],
)
def test_a_hidden_element_without_an_end_tag_ends_where_html_says(html: str) -> None:
    assert text_of(html).removeprefix("- ") == "Seen"


@pytest.mark.parametrize("html", ["<!--" * 60_000, "<a " * 60_000, "<" * 250_000, "<a>" * 80_000, "<a href='" * 30_000,
                                  "<p>" + "<b><i>" * 40_000, "<p>" + "<span>" * 40_000 + "<h1><p>" * 40_000,
                                  "<div style='display:none'><p>" + "<q>" * 40_000 + "<ul>" * 40_000])  # fmt: skip
def test_html_that_takes_long_to_read_is_given_up(html: str) -> None:
    began = time.thread_time()
    with suppress(SecurityError), limited(0.05):
        text_of(html)
    assert time.thread_time() - began < 1


@given(st.lists(st.sampled_from(["<", ">", "<p", "</", "<!", "<![", "]>", "<!--", "-->", "a", "&", "&#1", "'", "<?"])))
def test_any_html_has_a_text_or_cannot_be_read(parts: list[str]) -> None:
    with suppress(ValueError):
        text_of("".join(parts))


def mail(html: str, **fields: str) -> dict[str, object]:
    known = configuration(t={"email": {"subject": "Paid", "html": html, **fields}})
    [delivery] = planned(known=known, channels=["email"], template_name="t", payload={"who": "<Ada>"}).deliveries
    assert delivery.content is not None
    return delivery.content


def test_a_mail_without_a_text_gets_that_of_its_html() -> None:
    content = mail("<p>Hello {{ who }}</p>")
    assert content == {"subject": "Paid", "html": "<p>Hello &lt;Ada&gt;</p>", "text": "Hello <Ada>"}


def test_a_text_of_the_template_is_kept() -> None:
    assert mail("<p>Hello</p>", text="Hi")["text"] == "Hi"


@pytest.mark.parametrize("html", ["", "<img src='a.png'>", "<![foo[ x", "<!--" * 50_000])
def test_html_without_a_text_is_refused_by_field(html: str) -> None:
    """Later versions of Python read the last two, and find no text."""
    refusal = refused(channels=["email"], known=configuration(t={"email": {"subject": "x", "html": html}}),
                      template_name="t")  # fmt: skip
    assert (refusal.code, refusal.fields[0][0]) == (RefusalCode.INVALID_REQUEST, "content.email.text")
    assert "cannot be derived from `html`" in refusal.detail
