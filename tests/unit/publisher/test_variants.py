"""Which template, version and variant a notification gets."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher_api.channels.model import Channel
from publisher_api.configuration import Template, TemplateKey, TemplateVersions
from publisher_api.planning.variants import ChosenTemplate, fallbacks, template_for
from publisher_api.refusal import Refusal, RefusalCode
from publisher_api.users.model import User
from tests.unit.publisher.planned import configuration, planned, refused

CHAT = Channel(slug="webhook-chat", channel_type="webhook")
LOCALES = [None, "pt", "pt-BR", "de", "zh-Hant-TW"]
KEYS = ["webhook", "webhook-chat", "inapp"]
Contents = Mapping[str, Mapping[str, Any]]


@pytest.mark.parametrize(
    ("locale", "tags"),
    [
        (None, []),
        ("pt", ["pt"]),
        ("pt-BR", ["pt-BR", "pt"]),
        ("zh-Hant-TW", ["zh-Hant-TW", "zh-Hant", "zh"]),
        ("de-u-co-phonebk", ["de-u-co-phonebk", "de-u-co", "de"]),
        ("x-private", ["x-private"]),
    ],
)
def test_a_language_tag_is_shortened_from_its_end(locale: str | None, tags: list[str]) -> None:
    assert list(fallbacks(locale)) == tags


def contents(at: str) -> st.SearchStrategy[Contents]:
    """Content for some channels, each of which says where it stands."""
    return st.sets(st.sampled_from(KEYS)).map(lambda keys: {key: {"at": f"{at}/{key}"} for key in keys})


def templates(layer: str) -> st.SearchStrategy[Template]:
    locales = st.fixed_dictionaries({tag: contents(f"{layer}/{tag}") for tag in LOCALES if tag is not None})
    return st.builds(Template, version=st.just(1), content=contents(f"{layer}/None"), locales=locales)


@given(
    own=st.none() | templates("own"),
    shared=st.none() | templates("shared"),
    locale=st.sampled_from([*LOCALES, "pt-PT", "zh"]),
)
def test_the_language_comes_before_the_channel_and_the_channel_before_the_tenant(
    own: Template | None, shared: Template | None, locale: str | None
) -> None:
    """Against a reference that merges the tenant's content over the shared one, and then looks up."""
    merged: dict[str | None, dict[str, Mapping[str, Any]]] = {tag: {} for tag in LOCALES}
    for template in (shared, own):
        if template is not None:
            merged[None] |= template.content
            for tag, variant in template.locales.items():
                merged[tag] |= variant
    wanted = [tag for tag in (*fallbacks(locale), None) if tag in merged]
    candidates = [merged[tag][key] for tag in wanted for key in ("webhook-chat", "webhook") if key in merged[tag]]
    found = ChosenTemplate(name="t", locale=locale, own=own, shared=shared).variant(CHAT)
    assert (None if found is None else found.fields) == next(iter(candidates), None)


def known(**versions: TemplateVersions) -> dict[TemplateKey, TemplateVersions]:
    """The shared template ``t`` as ``shared``, and that of the tenant ``acme`` as ``acme``."""
    return {(None if owner == "shared" else owner, "t"): each for owner, each in versions.items()}


def versions(published: int | None, *numbers: int) -> TemplateVersions:
    return TemplateVersions(published, {number: Template(number, {}) for number in numbers})


def test_a_tenant_without_a_template_of_its_own_gets_the_shared_one() -> None:
    found = template_for("t", None, known(shared=versions(2, 1, 2)), tenant="acme")
    assert found is not None
    assert (found.own, found.shared) == (None, Template(2, {}))


def test_a_version_in_a_request_is_one_of_the_shared_template() -> None:
    templates = known(shared=versions(2, 1, 2), acme=versions(1, 1, 2))
    found = template_for("t", 1, templates, tenant="acme")
    assert found is not None
    assert (found.own, found.shared) == (Template(1, {}), Template(1, {}))


def test_a_draft_is_used_by_its_version_only() -> None:
    templates = known(shared=versions(None, 1))
    found = template_for("t", 1, templates, tenant=None)
    assert found is not None
    assert found.shared == Template(1, {})
    with pytest.raises(Refusal, match="only drafts"):
        template_for("t", None, templates, tenant=None)


def test_a_template_of_one_tenant_is_unknown_to_the_others() -> None:
    templates = known(acme=versions(1, 1))
    assert template_for("t", None, templates, tenant="acme") is not None
    for tenant in ("other", None):
        with pytest.raises(Refusal, match="unknown template"):
            template_for("t", None, templates, tenant=tenant)


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({"template_version": 1}, RefusalCode.INVALID_REQUEST, "no `template_name`"),
        ({"template_name": "t", "template_version": 7}, RefusalCode.UNKNOWN_TEMPLATE, "Versions that can be named: 1."),
        ({"template_name": "no", "template_version": 7}, RefusalCode.UNKNOWN_TEMPLATE, "named: none"),
    ],
)
def test_a_version_that_cannot_be_used_is_refused(fields: dict[str, Any], code: RefusalCode, said: str) -> None:
    refusal = refused(known=configuration(t={"inapp": {"title": "x"}}), **fields)
    assert (refusal.code, refusal.fields[0][0]) == (code, "template_version")
    assert said in refusal.detail


def titled(locale_of_user: str | None, **fields: Any) -> tuple[str, str | None]:
    """The title in the inbox, and the language that the notification stores."""
    template = Template(3, {"inapp": {"title": "Paid"}}, {"pt": {"inapp": {"title": "Pago"}}})
    greetings = configuration()
    greetings = type(greetings)(greetings.channels, {(None, "t"): TemplateVersions(3, {3: template})}, {})
    plan = planned(User(user_id="ada", locale=locale_of_user), greetings, template_name="t", **fields)
    assert plan.notification.template_version == 3
    content = plan.deliveries[0].content
    assert content is not None
    return content["title"], plan.notification.locale


def test_the_language_of_the_request_comes_before_that_of_the_user() -> None:
    assert titled("pt-BR") == ("Pago", "pt-BR")
    assert titled("pt-BR", locale="en-GB") == ("Paid", "en-GB")
    assert titled("de", locale="pt-pt") == ("Pago", "pt-PT")
    assert titled(None) == ("Paid", None)
