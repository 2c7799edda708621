"""``python -m publisher_api.cli.apply``: channels, templates and event types from files."""

import os
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.publisher.running import Publisher
from tests.publisher.topic import waiting_for

CHANNEL = """
channel_type = "webhook"
[config]
url = "https://chat.example.com/in"
"""
TEMPLATE = """
[content.inapp]
title = "Paid {{ amount }}"
[content.email]
subject = "Paid"
text = '''
You paid {{ amount }}.
Thank you.'''
"""


@dataclass(frozen=True)
class Folder:
    """Files with names of their own, and what the command prints about them."""

    path: Path
    publisher: Publisher
    name: str

    def write(self, kind: str, text: str, name: str = "") -> None:
        (self.path / kind).mkdir(exist_ok=True)
        (self.path / kind / f"{name or self.name}.toml").write_text(text)

    def write_all(self) -> None:
        self.write("channels", CHANNEL)
        self.write("templates", TEMPLATE)
        self.write("event-types", f'channels = ["inapp", "{self.name}"]\ntemplate_name = "{self.name}"')

    def apply(self, *options: str, status: int = 0) -> str:
        command = [sys.executable, "-m", "publisher_api.cli.apply", str(self.path), *options]
        environment = {**os.environ, "DATABASE_URL": self.publisher.database_url}
        ended = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        assert ended.returncode == status, ended.stdout + ended.stderr
        return ended.stdout if not status else ended.stderr


@pytest.fixture
def folder(tmp_path: Path, publisher: Publisher) -> Folder:
    return Folder(tmp_path, publisher, f"apply-{uuid.uuid4().hex[:8]}")


def test_what_files_declare_is_used_for_the_next_notification(folder: Folder) -> None:
    folder.write_all()
    folder.write("templates", TEMPLATE + f"[content.{folder.name}]\nbody = {{paid = true}}")
    printed = folder.apply()
    assert f"+ channels/{folder.name}" in printed
    assert '    + config.url: "https://chat.example.com/in"' in printed
    assert printed.splitlines()[-1] == "3 to create, 0 to change, 0 as they are."

    def accepted() -> bool:
        body = {"user_id": "ada", "event_type": folder.name, "payload": {"amount": 10}}
        return folder.publisher.http.post("/v1/notifications", json=body).status_code == 202

    waiting_for(accepted, "the publisher to know the event type")


def test_the_same_files_again_change_nothing(folder: Folder) -> None:
    folder.write_all()
    folder.write("templates", TEMPLATE)
    folder.apply()
    version = folder.publisher.http.get(f"/v1/event-types/{folder.name}").json()
    assert folder.apply() == "0 to create, 0 to change, 3 as they are.\n"
    assert folder.publisher.http.get(f"/v1/event-types/{folder.name}").json() == version


def test_a_change_is_printed_value_by_value_and_a_dry_run_stores_nothing(folder: Folder) -> None:
    folder.write_all()
    folder.apply()
    folder.write("templates", TEMPLATE.replace('subject = "Paid"', 'subject = "Thank you"'))
    printed = folder.apply("--dry-run").splitlines()
    assert printed == [
        f"~ templates/{folder.name}",
        '    ~ content.email.subject: "Paid" -> "Thank you"',
        "0 to create, 1 to change, 2 as they are.",
        "Nothing was stored, because of --dry-run.",
    ]
    stored = folder.publisher.http.get(f"/v1/templates/{folder.name}").json()
    assert stored["content"]["email"]["subject"] == "Paid"


def test_limits_are_declared_by_files_named_for_their_scope(folder: Folder) -> None:
    folder.write("limits", "limit = 100\nwindow_seconds = 60", name=f"producer:{folder.name}")
    folder.write("limits", "limit = 1\nwindow_seconds = 60", name="everybody")
    assert folder.apply(status=1).splitlines() == [
        "limits/everybody.toml: scope: must be producer, user, producer:NAME or channel:SLUG",
        "Nothing was stored.",
    ]
    (folder.path / "limits" / "everybody.toml").unlink()
    folder.apply()
    stored = folder.publisher.http.get(f"/v1/limits/producer:{folder.name}").json()
    assert (stored["limit"], stored["window_seconds"], stored["burst"]) == (100, 60, None)
    assert folder.apply() == "0 to create, 0 to change, 1 as they are.\n"
    folder.write("limits", "limit = 100\nwindow_seconds = 60\nburst = 500", name=f"producer:{folder.name}")
    assert "    ~ burst: 100 -> 500" in folder.apply("--dry-run")


def test_a_template_has_languages_and_a_change_of_one_is_a_version(folder: Folder) -> None:
    folder.write("templates", TEMPLATE + '[locales.pt-br.inapp]\ntitle = "Pago"')
    folder.apply()
    assert folder.apply() == "0 to create, 0 to change, 1 as they are.\n"
    folder.write("templates", TEMPLATE + '[locales.pt-br.inapp]\ntitle = "Foi pago"')
    assert '    ~ locales.pt-BR.inapp.title: "Pago" -> "Foi pago"' in folder.apply()
    stored = folder.publisher.http.get(f"/v1/templates/{folder.name}").json()
    assert (stored["published_version"], stored["locales"]) == (2, {"pt-BR": {"inapp": {"title": "Foi pago"}}})


def test_files_publish_again_what_was_rolled_back(folder: Folder) -> None:
    for subject in ("Paid", "Thank you"):
        folder.write("templates", TEMPLATE.replace('subject = "Paid"', f'subject = "{subject}"'))
        folder.apply()
    path = f"/v1/templates/{folder.name}"
    folder.publisher.http.post(f"{path}/publish", json={"version": 1}).raise_for_status()
    folder.apply()
    stored = folder.publisher.http.get(path).json()
    assert (stored["published_version"], stored["latest_version"]) == (2, 2)


def test_what_may_be_a_credential_is_not_printed(folder: Folder) -> None:
    folder.write("channels", CHANNEL)
    folder.apply()
    folder.write("channels", CHANNEL.replace("/in", "/out"))
    assert '    ~ config.url: "https://chat.example.com/***" -> "https://chat.example.com/out"' in folder.apply()


def test_every_fault_of_every_file_is_named_and_nothing_is_stored(folder: Folder) -> None:
    folder.write_all()
    folder.write("channels", 'channel_type = "email"\n[config]\nurl = "https://x.example"', name="mail")
    folder.write("templates", "[content.email]\nsubject = '{{ oops'\ntext = 'x'", name="broken")
    folder.write("event-types", 'channels = ["pigeon"]', name="lost")
    folder.write("event-types", "colour = 1", name="painted")
    (folder.path / "readme.md").write_text("x")
    faults = folder.apply(status=1).splitlines()
    assert [each.partition(": ")[0] for each in faults] == [
        "readme.md",
        "event-types/painted.toml",
        "Nothing was stored.",
    ]
    (folder.path / "readme.md").unlink()
    (folder.path / "event-types" / "painted.toml").unlink()
    faults = folder.apply(status=1).splitlines()
    assert [each.rpartition(": ")[0].split(": ")[:2] for each in faults[:-1]] == [
        ["channels/mail.toml", "config.url"],
        ["templates/broken.toml", "content.email.subject"],
        ["event-types/lost.toml", "channels.0"],
    ]
    assert folder.publisher.http.get(f"/v1/event-types/{folder.name}").status_code == 404


def test_the_type_of_a_channel_cannot_change(folder: Folder) -> None:
    folder.write("channels", 'channel_type = "sms"', name="email")
    assert (
        "channels/email.toml: channel_type: the channel 'email' has the type email, which cannot change"
        in folder.apply(status=1)
    )


def test_a_file_that_is_no_toml_and_a_missing_folder_are_named(folder: Folder) -> None:
    folder.write("channels", "= 1", name="bad")
    assert "channels/bad.toml: cannot be read as TOML" in folder.apply(status=1)
    missing = Folder(folder.path / "none", folder.publisher, folder.name)
    assert "none is not a folder" in missing.apply(status=1)


def test_what_was_applied_is_in_the_audit_log(folder: Folder) -> None:
    folder.write_all()
    folder.apply()
    log = folder.publisher.http.get("/v1/audit-log", params={"object": f"templates/{folder.name}"}).json()
    [entry] = log["entries"]
    assert (entry["principal"], entry["credential"], entry["action"]) == ("command", "apply", "template.put")
