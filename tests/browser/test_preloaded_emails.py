"""The e-mails of the preloaded templates in Chromium: their layout on phones and desktops, and their contrast."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from publisher_api.planning import rendering
from tests.node_packages import node_modules
from tests.preloaded import ARABIC, HTML, LONG, TEMPLATES, required, with_words

pytestmark = pytest.mark.browser

WIDTHS = (320, 390, 1280)
SCHEMES = ("light", "dark")
USER = {"user_id": "ada", "locale": "en-GB", "timezone": "Europe/London", "attributes": {}}
SMALLEST_TEXT = 13
SMALLEST_BUTTON = 44

each_template = pytest.mark.parametrize("name", TEMPLATES)
each_scheme = pytest.mark.parametrize("scheme", SCHEMES)


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.route("**/*", lambda route: pytest.fail(f"the e-mail loads {route.request.url}"))
    yield page
    page.close()


def show(page: Page, name: str, payload: dict[str, Any], width: int = 390, scheme: Any = "light") -> None:
    """Show the e-mail with ``payload``."""
    html = TEMPLATES[name].fields.content["email"]["html"]
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    page.set_content(rendering.render(html, {**payload, "user": USER}, "email.html"))


def payloads(name: str) -> list[dict[str, Any]]:
    """The sample, as little as possible, and too much."""
    sample = TEMPLATES[name].sample
    return [sample, required(TEMPLATES[name]), *(with_words(sample, words) for words in (HTML, ARABIC, LONG))]


@each_template
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_screen_or_600_pixels(page: Page, name: str, width: int) -> None:
    for payload in payloads(name):
        show(page, name, payload, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator(".card").bounding_box()["width"] <= 600  # type: ignore[index] # it is visible
        outside = page.evaluate("""() => {
            const card = document.querySelector(".card").getBoundingClientRect();
            const parts = [...document.querySelectorAll(".card *")].map((part) => part.getBoundingClientRect());
            return parts.filter(({ left, right }) => left < card.left || right > card.right).length;
        }""")
        assert outside == 0


@each_template
@each_scheme
def test_axe_finds_nothing(page: Page, name: str, scheme: str) -> None:
    axe = (node_modules() / "axe-core" / "axe.min.js").read_text()
    for payload in payloads(name)[:2]:
        show(page, name, payload, scheme=scheme)
        page.evaluate(axe)
        found: list[str] = page.evaluate("""async () => {
            const { violations, passes } = await axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] });
            if (!passes.some(({ id }) => id === "color-contrast")) return ["no contrast was measured"];
            return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`);
        }""")
        assert found == []


@each_template
def test_texts_and_buttons_are_large_enough_for_a_phone(page: Page, name: str) -> None:
    show(page, name, TEMPLATES[name].sample, width=320)
    sizes = page.evaluate("""() => {
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        const sizes = [];
        while (walker.nextNode()) {
            const { data, parentElement } = walker.currentNode;
            const shown = data.trim() && parentElement.checkVisibility();
            if (shown) sizes.push(parseFloat(getComputedStyle(parentElement).fontSize));
        }
        return sizes;
    }""")
    assert min(sizes) >= SMALLEST_TEXT
    [button] = page.locator(".button-text").all()
    assert button.bounding_box()["height"] >= SMALLEST_BUTTON  # type: ignore[index] # it is visible
    assert button.bounding_box()["width"] > 200  # type: ignore[index]


@each_template
def test_there_is_one_heading_and_a_hidden_preheader(page: Page, name: str) -> None:
    show(page, name, TEMPLATES[name].sample)
    assert page.locator("h1").count() == 1
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.title() == rendering.render(
        TEMPLATES[name].fields.content["email"]["subject"], {**TEMPLATES[name].sample, "user": USER}, "subject"
    )
    preheader = page.locator("body > div").first
    assert preheader.is_hidden()
    assert len((preheader.text_content() or "").split("\u034f")[0].strip()) > 20


@each_template
def test_dark_mode_is_dark_and_light_mode_light(page: Page, name: str) -> None:
    lightness = {}
    for scheme in SCHEMES:
        show(page, name, TEMPLATES[name].sample, scheme=scheme)
        colour: str = page.locator(".card").evaluate("card => getComputedStyle(card).backgroundColor")
        lightness[scheme] = sum(int(each) for each in colour.removeprefix("rgb(").removesuffix(")").split(",")) / 3
    assert lightness["light"] > 250
    assert lightness["dark"] < 50
