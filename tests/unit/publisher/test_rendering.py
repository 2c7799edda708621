"""Templates: rendered in a sandbox with real limits."""

import time
import tracemalloc
from typing import Any

import pytest

from publisher_api.planning import rendering
from publisher_api.refusal import Refusal, RefusalCode

LARGE_NUMBERS = "{% set a = ('f' * 100000) | int(base=16) %}{% set b = ('f' * 50000) | int(base=16) %}"


def often(expression: str, before: str = "") -> str:
    """A template that computes ``expression`` many times without a loop, and keeps every result."""
    return before + "{{ [" + ", ".join([expression] * 900) + "] | length }}"


RUNAWAY = [
    often("a // b", LARGE_NUMBERS),
    often("a % b", LARGE_NUMBERS),
    often("a - b", LARGE_NUMBERS),
    often("-a", LARGE_NUMBERS),
    often("a is divisibleby b", LARGE_NUMBERS),
    often("payload.longest[1:]"),
    often("payload.big[1:]"),
    often("payload.big.lower()"),
    often("namespace(payload.mapping)"),
    often("'x' in payload.longest"),
    often("'x' is in payload.longest"),
    "{{ payload.big | round(3, 'floor') }}",
    "{{ payload.big.strip('\u0161' * 200000 ~ 'A') }}",
    "{{ payload.big | trim('\u0161' * 60000 ~ 'A') }}",
    "{{ payload.deep | tojson(indent=8) }}",
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
    "{{ lipsum(n=100000) }}",
    "{{ 'a'.center(n * 1000) }}",
    "{{ '{:>1000000000}'.format(1) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ 'a'.replace('a', 'b' * 1000) }}",
    "{{ ('a' * 1000) | replace('', 'b' * 1000) }}",
    "{{ range(100000) | join('c' * 1000) }}",
    "{{ range(100000) | list | list | list }}",
    "{{ payload.many | tojson(indent=n * 1000) }}",
    "{{ 1.5 | round(n * 1000, 'ceil') }}",
    "{{ payload.many | map(attribute='x', default=payload.big) | sort | length }}",
    "{{ payload.many | map('default', payload.big, true) | map('lower') | list | length }}",
    "{{ payload.lists | sum(start=[]) }}",
    "{% set a = 'a' * 200000 %}{% set b = a ~ a %}{{ b | length }}",
    "{% set a = 'a' * 200000 %}{% set b = a + a %}{{ b | length }}",
    "{% set x %}{% for i in payload.many %}{{ payload.big }}{% endfor %}{% endset %}{{ x | length }}",
    "{% macro m() %}{% for i in payload.many %}{{ payload.big }}{% endfor %}{% endmacro %}{{ m() | length }}",
    "{% set n = namespace(x=[1]) %}{% for i in range(40) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x | string }}",
    "{% set n = namespace(x=7) %}{% for i in range(40) %}{% set n.x = n.x * n.x %}{% endfor %}{{ n.x }}",
    "{% set a = namespace(x=1) %}{{ [a, a] }}",
    "{{ namespace(x=1) }}",
    "{{ ''.__class__.__mro__ }}",
]


def payload_of_attacks() -> dict[str, Any]:
    deep: list[Any] = [0] * 9000
    for _ in range(60):
        deep = [deep]
    return {
        "n": 10**6,
        "many": [0] * 9000,
        "longest": [0] * 100_000,
        "big": "A" * 200_000,
        "lists": [[0] * 300] * 300,
        "mapping": {str(number): number for number in range(9000)},
        "deep": deep,
    }


def render(content: Any, **payload: Any) -> Any:
    return rendering.render(content, {**payload, "payload": payload}, "template.inapp")


@pytest.mark.parametrize("text", RUNAWAY)
def test_a_template_cannot_exceed_its_limits(text: str) -> None:
    rendering.check({"title": text}, "content.inapp")
    with pytest.raises(Refusal) as caught:
        render({"title": text}, **payload_of_attacks())
    assert (caught.value.code, caught.value.fields[0][0]) == (RefusalCode.TEMPLATE_FAILED, "template.inapp.title")


@pytest.mark.parametrize("text", RUNAWAY)
def test_a_template_that_is_refused_has_taken_little_time(text: str) -> None:
    rendering.check({"title": text}, "content.inapp")
    payload = payload_of_attacks()
    started = time.thread_time()
    with pytest.raises(Refusal):
        render({"title": text}, **payload)
    assert time.thread_time() - started < 1.0  # the limit is a quarter of a second, and one operation may end after it


def test_the_texts_of_a_content_are_limited_together() -> None:
    body = {f"text{number}": "{% for i in range(1000) %}" + "a" * 250 + "{% endfor %}" for number in range(100)}
    with pytest.raises(Refusal, match="works on too much text"):
        render({"data": body})


@pytest.mark.parametrize("text", ["{{ " + "a" * 100_000 + " }}", "{{ payload['a' * 200000] }}"])
def test_a_refusal_stays_short_whatever_a_template_names(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        render({"data": {"k" * 100_000: text}})
    assert len(caught.value.detail) < 2000
    assert len(caught.value.fields[0][0]) < 1000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ " + "1" * 5000 + " }}", "cannot be compiled"),
        ("{{ 0x" + "f" * 20000 + " }}", "cannot be compiled"),
        ("{{ a(x=1, x=2) }}", "cannot be compiled: keyword argument repeated: x"),
        ("{{ " + "(" * 5000 + ")" * 5000 + " }}", "too deeply nested"),
        ("{{ a }}" * 30_000, "has more than 10,000 expressions and statements"),
    ],
    ids=["digits", "hexadecimal", "repeated", "nested", "many"],
)
def test_a_template_that_cannot_be_compiled_is_refused(text: str, message: str) -> None:
    with pytest.raises(Refusal, match=message) as caught:
        rendering.check({"title": text}, "content.inapp")
    assert (caught.value.code, caught.value.fields[0][0]) == (RefusalCode.TEMPLATE_FAILED, "content.inapp.title")


@pytest.mark.parametrize("text", ["{{ '" + "{{ x }}" * 3 + "' * 9000 }}", "{{ 'a' * 200000 }}" * 200])
def test_nothing_is_computed_while_a_template_is_compiled(text: str) -> None:
    tracemalloc.start()
    try:
        rendering.check({"title": text}, "content.inapp")
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("text", RUNAWAY)
def test_a_template_that_is_refused_has_taken_little_memory(text: str) -> None:
    rendering.check({"title": text}, "content.inapp")
    payload = payload_of_attacks()
    tracemalloc.start()
    try:
        with pytest.raises(Refusal):
            render({"title": text}, **payload)
        assert tracemalloc.get_traced_memory()[1] < 64_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("{{ rows | map(attribute='n') | join(', ') }}", "b, a"),
        ("{{ rows | sort(attribute='n') | map(attribute='n') | list }}", "['a', 'b']"),
        ("{{ rows | selectattr('n', 'equalto', 'a') | list | length }}", "1"),
        ("{% for name, value in payload.one.items() %}{{ name }}={{ value }}{% endfor %}", "k=1"),
        ("{{ payload.one.keys() | list | first }}", "k"),
        ("{{ rows | sum(attribute='q') }}", "5"),
        ("{{ 'a-b' | replace('-', '+') | upper }}", "A+B"),
        ("{{ 2.345 | round(2) }} {{ 7 % 4 }} {{ 2 ** 3 }} {{ 'ab' * 2 }} {{ [1] + [2] }}", "2.35 3 8 abab [1, 2]"),
        ("{% set n = namespace(x=0) %}{% for r in rows %}{% set n.x = n.x + r.q %}{% endfor %}{{ n.x }}", "5"),
        ("{{ missing | default('none') }} {{ 'x'.upper() }} {{ ('k', 1) }} {{ {'a': 1} }}", "none X ('k', 1) {'a': 1}"),
        ("{% for g in rows | groupby('n') %}{{ g.grouper }}{{ g.list | length }}{% endfor %}", "a1b1"),
        ("{{ one | tojson }} {{ one | tojson(indent=1) }}", '{"k": 1} {\n "k": 1\n}'),
        (
            "{{ -2 + 7 // 2 }} {{ 1 < 2 < 3 }} {{ 4 is divisibleby 2 }} {{ 'a' in one }} {{ ' x ' | trim }}",
            "1 True True False x",
        ),
        ("{{ 'abc'[1:] }} {{ rows[:1] | length }} {{ range(9)[2:4] | list }} {{ '--x-'.strip('-') }}", "bc 1 [2, 3] x"),
        ("{{ range(3) | join }} {{ 'a' ~ 1 ~ none }} {{ true }} {{ 'é' | length }}", "012 a1None True 1"),
    ],
)
def test_what_ordinary_templates_use_works_as_in_jinja(text: str, rendered: str) -> None:
    rows = [{"n": "b", "q": 2}, {"n": "a", "q": 3}]
    assert render(text, rows=rows, one={"k": 1}) == rendered


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
