"""Templates: rendered in a sandbox with real limits."""

from typing import Any

import pytest

from publisher_api.planning import rendering
from publisher_api.refusal import Refusal, RefusalCode

RUNAWAY = [
    "{% for i in range(9000) %}{% for j in range(9000) %}{% endfor %}{% endfor %}",
    "{% for i in payload.many %}{% for j in payload.many %}{% endfor %}{% endfor %}",
    "{% for i in payload.many recursive %}{{ loop(payload.many) if loop.depth < 9 }}{% endfor %}",
    "{% macro m(n) %}{{ m(n - 1) ~ m(n - 1) if n }}{% endmacro %}{{ m(60) }}",
    "{{ 'a' * 200000000 }}",
    "{{ 10 ** n }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{{ payload.clear() or 'x' }}",
    "{{ 'long words' | truncate(2) }}",
    "{{ cycler().next() }}",
    "{{ '%c' % 55296 }}",
    "{{ '%c' % 0 }}",
    "{{ ('a' * 1000) | center(300000) }}",
    "{{ ''.__class__.__mro__ }}",
]


def render(content: Any, **payload: Any) -> Any:
    return rendering.render(content, {**payload, "payload": payload}, "template.inapp")


@pytest.mark.parametrize("text", RUNAWAY)
def test_a_template_cannot_exceed_its_limits(text: str) -> None:
    rendering.check({"title": text}, "content.inapp")
    with pytest.raises(Refusal) as caught:
        render({"title": text}, n=10**6, many=[0] * 9000)
    assert (caught.value.code, caught.value.fields[0][0]) == (RefusalCode.TEMPLATE_FAILED, "template.inapp.title")


def test_many_texts_share_one_time_limit() -> None:
    body = {f"text{number}": "{% for i in payload.many %}{% endfor %}" for number in range(1000)}
    with pytest.raises(Refusal, match="takes too long to render"):
        render(body, many=[0] * 9000)


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(Refusal, match="'amount' is undefined"):
        render({"title": "{{ amount }}"})


def test_only_html_is_escaped() -> None:
    rendered = render({"subject": "{{ a }}", "html": "{{ a }}", "nested": [{"html": "{{ a }}"}]}, a="<&>")
    assert rendered == {"subject": "<&>", "html": "&lt;&amp;&gt;", "nested": [{"html": "&lt;&amp;&gt;"}]}


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("{% for i in rows if i > 1 %}{{ i }}/{{ loop.length }}{{ '-' if not loop.last }}{% endfor %}", "2/2-3/2"),
        ("{% for i in tree recursive %}{{ i.n }}{{ loop(i.c) if 'c' in i }}{% endfor %}", "abc"),
        ("{% for i in [] %}{{ i }}{% else %}none{% endfor %}", "none"),
    ],
)
def test_loops_under_the_time_limit_behave_as_jinjas_own(text: str, rendered: str) -> None:
    assert render(text, rows=[1, 2, 3], tree=[{"n": "a", "c": [{"n": "b"}]}, {"n": "c"}]) == rendered


@pytest.mark.parametrize(
    "text",
    ["{{ oops", "{% for i in x %}" * 25 + "{% endfor %}" * 25, "{{ " + "(" * 2000 + ")" * 2000 + " }}", "\x00"],
    ids=["syntax", "loops", "parentheses", "U+0000"],
)
def test_a_text_that_is_not_a_template_is_refused_by_field(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        rendering.check({"a": [{"b": text}]}, "content.inapp")
    assert caught.value.fields[0][0] == "content.inapp.a.0.b"
