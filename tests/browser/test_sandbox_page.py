"""The sandbox's page in Chromium."""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from standardwebhooks import Webhook

from local.sandbox.test_recipients import RECIPIENTS
from shared.webhook_secrets import derive, origin_of
from tests.sandboxed import SECRET, SENDGRID_KEY, TWILIO, an_email, running_sandbox

pytestmark = pytest.mark.browser

HTML = "<h2>Paid</h2><script>parent.document.title = 'stolen'</script><p>Thank you, <b>Ada</b>.</p>"


@pytest.fixture(scope="module")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as url:
        yield url


@pytest.fixture
def page(browser: Browser, sandbox_url: str) -> Iterator[Page]:
    """The page, just opened, without arrivals."""
    httpx.delete(f"{sandbox_url}/arrivals")
    page = browser.new_page()
    page.goto(sandbox_url)
    yield page
    page.close()


def send_email(url: str, subject: str, html: str | None = None) -> None:
    headers = {"Authorization": f"Bearer {SENDGRID_KEY}"}
    httpx.post(f"{url}/v3/mail/send", headers=headers, json=an_email(subject=subject, html=html)).raise_for_status()


def send_sms(url: str, text: str) -> None:
    form = {"To": "+447700900123", "From": "+15005550006", "Body": text}
    httpx.post(f"{url}/2010-04-01/Accounts/{TWILIO[0]}/Messages.json", auth=TWILIO, data=form).raise_for_status()


def test_empty_page_explains_the_sandbox_and_lists_every_test_recipient(page: Page) -> None:
    expect(page.get_by_role("heading", name="Nothing has arrived yet")).to_be_visible()
    expect(page.locator("#recipients tr")).to_have_count(len(RECIPIENTS))
    expect(page.get_by_text("bounce@sandbox.test")).to_be_visible()


def test_arrivals_appear_without_a_reload_and_newest_first(page: Page, sandbox_url: str) -> None:
    expect(page.get_by_text("Live", exact=True)).to_be_visible()

    send_email(sandbox_url, "First")
    send_sms(sandbox_url, "Second <b>&amp;</b> last")

    expect(page.locator(".arrival")).to_have_count(2)
    expect(page.locator(".arrival").first.locator(".bubble")).to_have_text("Second <b>&amp;</b> last")
    expect(page.locator(".arrival").last).to_contain_text("First")
    expect(page.get_by_role("heading", name="Nothing has arrived yet")).to_be_hidden()


def test_email_is_rendered_without_running_its_scripts(page: Page, sandbox_url: str) -> None:
    send_email(sandbox_url, "Your receipt", HTML)

    mail = page.frame_locator(".arrival iframe")
    expect(mail.get_by_role("heading", name="Paid")).to_be_visible()
    expect(mail.locator("b")).to_have_text("Ada")
    expect(page).to_have_title("Heliograph sandbox")


def test_webhook_shows_whether_its_signature_is_valid(page: Page, sandbox_url: str) -> None:
    now = datetime.now(UTC)
    signature = Webhook(derive(SECRET, origin_of(sandbox_url))).sign("m1", now, '{"amount":10}')
    headers = {"webhook-id": "m1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}
    httpx.post(f"{sandbox_url}/webhook/shop", content='{"amount":10}', headers=headers)
    httpx.post(f"{sandbox_url}/webhook/shop", content='{"amount":99}', headers=headers)

    expect(page.locator(".arrival").last.get_by_text("✓ signature valid")).to_be_visible()
    expect(page.locator(".arrival").first.get_by_text("✗ signature invalid")).to_be_visible()


def test_channel_type_filter_and_clear_button(page: Page, sandbox_url: str) -> None:
    send_email(sandbox_url, "A letter")
    send_sms(sandbox_url, "A text")
    expect(page.locator(".arrival:visible")).to_have_count(2)

    page.get_by_role("button", name="SMS 1").click()
    expect(page.locator(".arrival:visible")).to_have_count(1)
    expect(page.locator(".arrival:visible")).to_contain_text("A text")

    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".arrival")).to_have_count(0)
    assert httpx.get(f"{sandbox_url}/arrivals").json() == {"arrivals": []}


def test_page_does_not_scroll_sideways_on_a_narrow_screen(page: Page, sandbox_url: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    send_email(sandbox_url, "A subject with one long word: " + "x" * 200, HTML)
    expect(page.locator(".arrival iframe")).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") == 360
