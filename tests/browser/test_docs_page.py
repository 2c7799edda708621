"""The API's documentation at /docs in Chromium: it needs no other host, and its content-security policy holds."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from local.processes import free_port
from publisher_api.app import create_app
from publisher_api.settings import Settings
from publisher_api.web.access import WEBSOCKET
from tests.publisher.walking import GOOGLE, POSTGRES, rules_in

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=[GOOGLE, POSTGRES], ids=["google", "postgres"])
def settings(request: pytest.FixtureRequest) -> Settings:
    """A publisher without a database: the documentation needs none."""
    profile: Settings = request.param
    return replace(profile, database_url=f"postgresql://none@127.0.0.1:{free_port()}/none")


@pytest.fixture(scope="module")
def docs_url(settings: Settings) -> Iterator[str]:
    app, port = create_app(settings, serverless=settings.google is not None), free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}/docs"
    server.should_exit = True
    thread.join()
    app.state.services.pool.close()


@pytest.fixture
def problems() -> list[str]:
    """What went wrong in the page: messages of the console, failed requests, requests to another host."""
    return []


@pytest.fixture
def page(browser: Browser, docs_url: str, problems: list[str]) -> Iterator[Page]:
    page = browser.new_page()
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda request: problems.append(f"failed: {request.url}"))
    own = docs_url.removesuffix("/docs")
    page.on("request", lambda request: None if request.url.startswith((own, "data:")) else problems.append(request.url))
    page.goto(docs_url)
    yield page
    page.close()


def test_docs_list_every_operation_by_feature(page: Page, problems: list[str], settings: Settings) -> None:
    expect(page.get_by_role("heading", name="Heliograph")).to_be_visible()
    for tag in ("sending", "notifications", "inbox", "users", "configuration", "health"):
        expect(page.locator(f"#operations-tag-{tag}")).to_be_visible()
    about_itself = ("/docs", "/openapi.json")
    operations = [
        path for method, path in rules_in(settings) if method != WEBSOCKET and not path.startswith(about_itself)
    ]
    expect(page.locator(".opblock")).to_have_count(len(operations))
    assert problems == []


def test_an_operation_shows_its_example_and_its_problems(page: Page, problems: list[str]) -> None:
    page.locator("#operations-sending-send_v1_notifications_post .opblock-summary-control").first.click()
    block = page.locator("#operations-sending-send_v1_notifications_post")
    expect(block.get_by_text("Accept one notification").first).to_be_visible()
    expect(block.locator("textarea")).to_contain_text('"event_type": "payment"')
    expect(block.locator(".responses-table .response-col_status")).to_contain_text(["Code", "202", "400", "401"])
    assert problems == []
