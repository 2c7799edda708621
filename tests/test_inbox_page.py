"""Checks docs/inbox.md: the addresses, settings, events and codes that it names exist."""

import re
from pathlib import Path

from publisher_api.app import create_app
from publisher_api.live import socket
from publisher_api.settings import Settings
from publisher_api.web.origins import ORIGIN_REFUSED
from shared.log_events import LogEvent
from shared.profile import Profile

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "inbox.md").read_text(encoding="utf-8")


def test_every_address_of_the_inbox_is_on_the_page() -> None:
    paths = create_app(Settings(database_url="postgresql:///none", profile=Profile.POSTGRES)).openapi()["paths"]
    inbox = {path for path in paths if path.startswith("/v1/inbox")}
    assert {f"/v1/inbox{rest}" for rest in re.findall(r"/v1/inbox(/\w+|(?=[^\w/]))", PAGE)} == inbox


def test_every_setting_is_read() -> None:
    modules = ("inbox/settings.py", "live/limits.py")
    code = "".join((ROOT / "publisher_api" / module).read_text(encoding="utf-8") for module in modules)
    read = set(re.findall(r'"([A-Z]+_[A-Z_]+)"', code))
    assert set(re.findall(r"`((?:INBOX|FIREBASE)_\w+)`", PAGE)) == read


def test_every_event_of_the_log_exists() -> None:
    named = set(re.findall(r"`(inbox\.\w+)`", PAGE))
    assert named == {event.value for event in LogEvent if event.value.startswith("inbox.")}


def test_every_code_of_a_socket_is_explained() -> None:
    codes = {socket.BAD_HELLO, socket.BAD_TOKEN, socket.RESTARTING, socket.TRY_LATER, ORIGIN_REFUSED}
    assert {int(code) for code in re.findall(r"^\| (\d{4}) \|", PAGE, re.MULTILINE)} == codes


def test_every_link_has_a_target() -> None:
    links = re.findall(r"\]\(([^)]+)\)", PAGE)
    assert links
    assert [link for link in links if not (ROOT / "docs" / link.partition("#")[0]).is_file()] == []
