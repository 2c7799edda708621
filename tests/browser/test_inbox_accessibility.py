"""The web component <heliograph-inbox>: keyboard, screen readers, languages, contrast."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.inbox_pages import context, inbox, opened, page, wait_until
from tests.browser.live_inbox import LiveInbox
from tests.node_packages import node_modules
from tests.publisher.own_inbox import now

__all__ = ["context", "inbox", "page"]  # fixtures

pytestmark = pytest.mark.browser

FOCUSED = """() => {
    const focused = document.activeElement.shadowRoot?.activeElement;
    return focused?.querySelector(".title")?.textContent ?? focused?.getAttribute("aria-label") ?? "";
}"""


def focused(page: Page) -> str:
    """What has the focus inside the component: the title of an entry, or the name of a button."""
    name: str = page.evaluate(FOCUSED)
    return name


def test_everything_can_be_done_by_keyboard(page: Page, inbox: LiveInbox) -> None:
    inbox.deliver("One", "Two", "Three")
    bell = opened(page, inbox)
    bell.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Notifications")).to_be_visible()
    expect(bell).to_have_attribute("aria-expanded", "true")

    page.keyboard.press("ArrowDown")
    assert focused(page) == "Three"
    page.keyboard.press("End")
    assert focused(page) == "One"
    page.keyboard.press("ArrowUp")
    assert focused(page) == "Two"
    page.keyboard.press("Enter")
    expect(page.locator("li", has_text="Two")).not_to_have_class(re.compile("unread"))
    assert focused(page) == "Two", "the focus stays when the row is drawn again"
    page.keyboard.press("Tab")
    assert focused(page) == "Archive “Two”"
    page.keyboard.press("Enter")
    expect(page.locator(".title")).to_have_text(["Three", "One"])
    assert focused(page) == "One", "the focus moves to the next row"
    page.keyboard.press("Home")
    inbox.deliver("Four")
    expect(page.locator(".title")).to_have_text(["Four", "Three", "One"])
    assert focused(page) == "Three", "an arrival does not move the focus"
    page.keyboard.press("Delete")
    expect(page.locator(".title")).to_have_text(["Four", "One"])

    page.get_by_role("tab", name="All").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Unread")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("End")
    expect(page.get_by_role("tab", name="Archived")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(bell).to_be_focused()
    expect(bell).to_have_attribute("aria-expanded", "false")
    wait_until(page, lambda: len(inbox.titles("archived")) == 2, "the marks")


def test_list_is_one_stop_of_the_tab_key(page: Page, inbox: LiveInbox) -> None:
    inbox.deliver("One", "Two", "Three")
    opened(page, inbox, "mode=page")
    expect(page.locator("heliograph-inbox li")).to_have_count(3)
    assert page.locator("li .open[tabindex='0']").count() == 1
    assert page.locator("li .icon[tabindex='0']").count() == 1


def test_unread_is_said_and_not_only_shown(page: Page, inbox: LiveInbox) -> None:
    inbox.deliver("One")
    opened(page, inbox, "mode=page")
    expect(page.locator("li .open")).to_have_accessible_name(re.compile(r"^Unread: One"))


@pytest.mark.parametrize("lang", ["de", "de-CH"])
def test_german(page: Page, inbox: LiveInbox, lang: str) -> None:
    inbox.put("Eins", "Zwei", at=now() - timedelta(days=1))
    bell = opened(page, inbox, f"lang={lang}")
    expect(bell).to_have_accessible_name("Mitteilungen, 2 neue")
    bell.click()
    expect(page.get_by_role("tab", name="Ungelesen 2")).to_be_visible()
    expect(page.locator("time").first).to_have_text(re.compile("gestern|vor "))


def test_arabic_is_laid_out_from_right_to_left(page: Page, inbox: LiveInbox) -> None:
    inbox.deliver("تم شحن طلبك", "English")
    bell = opened(page, inbox, "lang=ar")
    expect(bell).to_have_accessible_name("الإشعارات، إشعاران جديدان")
    bell.click()
    first, last = page.get_by_role("tab").first.bounding_box(), page.get_by_role("tab").last.bounding_box()
    assert first is not None
    assert last is not None
    assert first["x"] > last["x"]
    ends = page.locator(".title").evaluate_all("""titles => titles.map(title => {
        const text = document.createRange();
        text.selectNodeContents(title);
        return Math.round(text.getBoundingClientRect().right);
    })""")
    assert len(ends) == 2
    assert ends[0] == ends[1], "a title in another script is aligned like all others"
    page.get_by_role("tab").first.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tab").nth(1)).to_be_focused()


def test_direction_can_be_set(page: Page, inbox: LiveInbox) -> None:
    opened(page, inbox, "lang=ar&dir=ltr")
    expect(page.locator("heliograph-inbox .root")).to_have_attribute("dir", "ltr")
    expect(page.locator("heliograph-inbox .root")).to_have_attribute("lang", "ar")


def test_messages_of_the_app_take_precedence(page: Page, inbox: LiveInbox) -> None:
    bell = opened(page, inbox, "lang=de")
    page.evaluate("""() => {
        const inbox = document.querySelector("heliograph-inbox");
        inbox.messages = { ...inbox.messages, title: "Updates" };
    }""")
    expect(bell).to_have_accessible_name("Updates")


def test_animations_stop_where_the_user_wants_less_motion(page: Page, inbox: LiveInbox) -> None:
    page.emulate_media(reduced_motion="reduce")
    opened(page, inbox).click()
    assert page.get_by_role("dialog").evaluate("panel => getComputedStyle(panel).animationName") == "none"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("by", ["attribute", "system"])
def test_no_serious_violation_of_accessibility(page: Page, inbox: LiveInbox, theme: str, by: str) -> None:
    axe = (node_modules() / "axe-core" / "axe.min.js").read_text()
    if by == "system":
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type] # one of two texts
    else:
        page.emulate_media(color_scheme="light" if theme == "dark" else "dark", reduced_motion="reduce")
    inbox.deliver("One", "Two", body="A body", url="/orders/7")
    bell = opened(page, inbox, f"theme={theme}" if by == "attribute" else "")
    page.evaluate("() => { document.documentElement.style.background = 'Canvas'; }")
    page.evaluate(axe)

    def violations() -> list[str]:
        found: list[str] = page.evaluate("""async () => {
            const { violations } = await axe.run("heliograph-inbox");
            const bad = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
            return bad.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`);
        }""")
        return found

    inbox.deliver("Three")
    expect(page.locator(".toast")).to_be_visible()
    assert violations() == []
    bell.click()
    expect(page.locator("li")).to_have_count(3)
    page.locator("li").first.hover()
    assert violations() == []
    page.get_by_role("tab", name="Archived").click()
    expect(page.get_by_text("Nothing archived")).to_be_visible()
    assert violations() == []
    page.evaluate(
        """async (publisher) => {
            const { liveSource } = await import("/dist/index.js");
            document.querySelector("heliograph-inbox").source = liveSource(publisher, () => "refused");
        }""",
        inbox.publisher.url,
    )
    expect(page.get_by_text("Your session has ended.")).to_be_visible()
    assert violations() == []
