"""The evaluator of preferences, against a reference that scores every line."""

from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from publisher_api.channels.model import Channel
from publisher_api.event_types.model import EventType
from publisher_api.planning.preference import MANDATORY, USER, Verdict, layers_of, verdict_on
from publisher_api.preferences.model import Preferences
from publisher_api.users.model import User

CHAT = Channel(slug="chat", channel_type="webhook")
PAYMENT = EventType(event_type="payment", version=1, category="billing")

switches = st.dictionaries(st.sampled_from(["chat", "other"]), st.booleans())
types = st.dictionaries(st.sampled_from(["webhook", "email"]), st.booleans())
choices = st.fixed_dictionaries({}, optional={"enabled": st.booleans(), "channels": switches, "channel_types": types})
documents = st.builds(
    lambda top, categories, event_types: {**top, "categories": categories, "event_types": event_types},
    choices,
    st.dictionaries(st.sampled_from(["billing", "other"]), choices),
    st.dictionaries(st.sampled_from(["payment", "other"]), choices),
)


def scored_lines(document: dict[str, Any]) -> Iterator[tuple[tuple[int, int], bool]]:
    """Each line about CHAT and PAYMENT, by how specific it is: first the subject, then the medium."""
    subjects = {2: document["event_types"].get("payment"), 1: document["categories"].get("billing"), 0: document}
    for subject, lines in subjects.items():
        for medium, value in {
            2: (lines or {}).get("channels", {}).get("chat"),
            1: (lines or {}).get("channel_types", {}).get("webhook"),
            0: (lines or {}).get("enabled"),
        }.items():
            if value is not None:
                yield (subject, medium), value


def reference(*layers: dict[str, Any]) -> bool:
    for document in layers:
        if scored := sorted(scored_lines(document), reverse=True):
            return scored[0][1]
    return True


@given(documents, documents, documents, st.sampled_from(["acme", "other", None]))
@example(
    {"categories": {}, "event_types": {}},
    {"categories": {}, "event_types": {}, "enabled": False},
    {"categories": {}, "event_types": {"payment": {"channels": {"chat": True}}}},
    None,
)
def test_the_most_specific_line_of_the_first_layer_decides(
    within: dict[str, Any], own: dict[str, Any], defaults: dict[str, Any], tenant: str | None
) -> None:
    user = User(
        user_id="u1",
        preferences=msgspec.convert(own, Preferences),
        tenants={"acme": msgspec.convert(within, Preferences)},
    )
    layers = layers_of(user, tenant, msgspec.convert(defaults, Preferences))
    expected = reference(within, own, defaults) if tenant == "acme" else reference(own, defaults)
    assert verdict_on("payment", PAYMENT, CHAT, layers).wanted == expected


@given(documents)
def test_the_line_that_is_named_has_the_value_of_the_verdict(own: dict[str, Any]) -> None:
    verdict = verdict_on("payment", PAYMENT, CHAT, {USER: msgspec.convert(own, Preferences)})
    if verdict.line is None:
        assert verdict == Verdict(wanted=True)
        return
    found: Any = own
    for name in verdict.line.split("."):
        found = found[name]
    assert found is verdict.wanted


@given(documents)
def test_a_mandatory_event_type_cannot_be_muted(own: dict[str, Any]) -> None:
    mandatory = EventType(event_type="payment", version=1, category="billing", mandatory=True)
    verdict = verdict_on("payment", mandatory, CHAT, {USER: msgspec.convert(own, Preferences)})
    assert verdict == Verdict(wanted=True, layer=MANDATORY)


def test_an_undeclared_event_type_has_no_category_and_may_have_lines_of_its_own() -> None:
    own = Preferences(categories={"None": Preferences(enabled=False)}, event_types={"new": Preferences(enabled=False)})
    assert verdict_on("other", None, CHAT, {USER: own}) == Verdict(wanted=True)
    assert verdict_on("new", None, CHAT, {USER: own}) == Verdict(
        wanted=False, layer=USER, line="event_types.new.enabled"
    )
