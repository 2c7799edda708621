"""Stand-ins for chat services: each keeps the rules of its documentation, and answers as the service does.

``shared/webhook_presets.py`` names the documentation. A stand-in answers a fault as the service would, so that a test
sees what our function makes of it; ``shown`` has what a reader of the room would see.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from functions.webhook.http import Http
from shared.envelope import Delivery
from shared.webhook_presets import configured_address
from tests.factories import make_delivery
from tests.providers.adapters import webhook
from tests.providers.server import Answer, Asked, ScriptedServer, serving

SLACK_PATH = "/services/T0123/B0123/abcDEF"
SLACK_TOKEN = "xoxb-1-abc"
TEAMS_PATH = "/workflows/0f/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sig=a-b_c"
DISCORD_PATH = "/api/webhooks/123/to-ken_9"
TELEGRAM_TOKEN = "7:AAE_x-y"
GOOGLE_PATH = "/v1/spaces/AAAA/messages?key=k-1&token=t_2"
SECRETS = {
    "slack": f"https://hooks.slack.com{SLACK_PATH}",
    "slack_bot": f"https://slack.com {SLACK_TOKEN}",
    "teams": f"https://prod-01.westeurope.logic.azure.com:443{TEAMS_PATH}",
    "discord": f"https://discord.com{DISCORD_PATH}",
    "telegram": f"https://api.telegram.org {TELEGRAM_TOKEN}",
    "google_chat": f"https://chat.googleapis.com{GOOGLE_PATH}",
}
RECIPIENTS = {"slack_bot": "C0123ABCD", "telegram": "-1001234567890"}
IDS: dict[str, str | None] = {
    "slack": None,  # the answer is "ok" and nothing else
    "slack_bot": "1503435956.000247",
    "teams": "08584",
    "discord": "1100000000000000001",
    "telegram": "42",
    "google_chat": "spaces/AAAA/messages/BBBB.CCCC",
}


class StandIn(ScriptedServer):
    """One service. While ``answers`` has more than its first entry, they are given in place of its own."""

    def __init__(self, url: str, answer_to: "Callable[[StandIn, Asked, dict[str, Any]], Answer]") -> None:
        super().__init__(url)
        self.answers = []
        self.shown: list[str] = []
        self._answer_to = answer_to

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if self.answers:
            return self.answers.pop(0)
        if asked.method != "POST" or not (asked.headers["Content-Type"] or "").startswith("application/json"):
            return Answer(400, b"invalid_payload")
        return self._answer_to(self, asked, asked.json)


def text_answer(status: int, text: str) -> Answer:
    return Answer(status, text.encode(), {"Content-Type": "text/html"})


def slack(service: StandIn, asked: Asked, body: dict[str, Any]) -> Answer:
    if asked.path != SLACK_PATH:
        return text_answer(404, "no_service")
    if not body.get("text"):
        return text_answer(400, "no_text")
    service.shown.append(_slack_text(body["text"]))
    return text_answer(200, "ok")


def slack_bot(service: StandIn, asked: Asked, body: dict[str, Any]) -> Answer:
    """Web API: every answer is a 200, except for the rate."""
    if asked.path != "/api/chat.postMessage":
        return Answer.json(200, {"ok": False, "error": "unknown_method"})
    if asked.headers["Authorization"] != f"Bearer {SLACK_TOKEN}":
        return Answer.json(200, {"ok": False, "error": "invalid_auth"})
    if body.get("channel") != RECIPIENTS["slack_bot"]:
        return Answer.json(200, {"ok": False, "error": "channel_not_found"})
    if not body.get("text"):
        return Answer.json(200, {"ok": False, "error": "no_text"})
    service.shown.append(_slack_text(body["text"]))
    return Answer.json(200, {"ok": True, "channel": "C0123ABCD", "ts": IDS["slack_bot"], "message": {"text": "…"}})


def _slack_text(text: str) -> str:
    """Text as Slack shows it. A bare control character would be a link or a mention."""
    assert len(text) <= 40_000, "Slack would truncate it"
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", text), "not escaped"
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def teams(service: StandIn, asked: Asked, body: dict[str, Any]) -> Answer:
    if asked.path != TEAMS_PATH:
        error = {"code": "AuthorizationFailed", "message": "The signature is wrong."}
        return Answer.json(401, {"error": error})
    if len(asked.body) > 28 * 1024:
        return Answer.json(413, {"error": {"code": "RequestEntityTooLarge"}})
    [attachment] = body["attachments"]
    card = attachment["content"]
    assert (body["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert (card["type"], card["$schema"]) == ("AdaptiveCard", "http://adaptivecards.io/schemas/adaptive-card.json")
    assert all(block["type"] == "TextBlock" and block["wrap"] is True and block["text"] for block in card["body"])
    # A TextBlock shows a single line feed as a space.
    texts = [re.sub(r"(?<!\n)\n(?!\n)", " ", block["text"]).replace("\n\n", "\n") for block in card["body"]]
    assert "{{" not in "".join(texts), "a function"
    service.shown.append("\n".join(_markdown_text(text, r"&#?\w+;", in_addresses=r"[*_`[\]\\]") for text in texts))
    return Answer(202, b"", {"x-ms-workflow-run-id": str(IDS["teams"])})


def discord(service: StandIn, asked: Asked, body: dict[str, Any]) -> Answer:
    url = urlsplit(asked.path)
    if url.path != DISCORD_PATH:
        return Answer.json(404, {"message": "Unknown Webhook", "code": 10015})
    content = body.get("content", "")
    if not content:
        return Answer.json(400, {"message": "Cannot send an empty message", "code": 50006})
    if len(content) > 2000:
        return Answer.json(400, {"message": "Invalid Form Body", "code": 50035, "errors": {"content": {}}})
    assert body["allowed_mentions"] == {"parse": []}, "a text may mention people"
    bold = re.match(r"\*\*((?:\\.|[^\\])+?)\*\*(?!\*)", content)
    assert bold, "the title is bold"
    service.shown.append(_markdown_text(f"{bold[1]}{content[bold.end() :]}", r"\||@everyone"))
    if parse_qs(url.query).get("wait") != ["true"]:
        return Answer(204)
    return Answer.json(200, {"id": IDS["discord"], "type": 0, "content": content, "channel_id": "9"})


def _markdown_text(text: str, others: str, in_addresses: str = "(?!)") -> str:
    """Text as a reader of Markdown sees it, in which nothing formats, links or mentions.

    ``others`` matches what only this service reads, and ``in_addresses`` what it reads as Markdown also in an address.
    """
    tokens = re.findall(r"https?://[^\s<]+|\\[^\w\s]|\\_|[\s\S]", text)
    addresses = [token for token in tokens if token.startswith("http")]
    assert not any(re.search(in_addresses, address) for address in addresses), "an address has Markdown"
    plain = "".join("x" if len(token) > 1 else token for token in tokens)
    assert not re.search(rf"[*_~`[\]<\\]|{others}", plain), "not escaped"
    assert not re.search(r"^[ \t]*([-+#>]|\d+[.)]\s)", plain, re.MULTILINE), "a heading, a list or a quotation"
    return "".join(token[1:] if token[0] == "\\" else token for token in tokens)


def telegram(service: StandIn, asked: Asked, body: dict[str, Any]) -> Answer:
    if asked.path != f"/bot{TELEGRAM_TOKEN}/sendMessage":
        status = 401 if re.fullmatch(r"/bot\d+:[\w-]+/sendMessage", asked.path) else 404
        return _telegram_error(status, "Unauthorized" if status == 401 else "Not Found")
    if str(body.get("chat_id")) != RECIPIENTS["telegram"]:
        return _telegram_error(400, "Bad Request: chat not found")
    text = body.get("text", "")
    if not text.strip():
        return _telegram_error(400, "Bad Request: message text is empty")
    if len(text.encode("utf-16-le")) // 2 > 4096:
        return _telegram_error(400, "Bad Request: message is too long")
    assert "parse_mode" not in body, "the text is not markup"
    service.shown.append(text)
    message = {"message_id": 42, "date": 1, "chat": {"id": -1001234567890, "type": "supergroup"}, "text": text}
    return Answer.json(200, {"ok": True, "result": message})


def _telegram_error(status: int, description: str) -> Answer:
    return Answer.json(status, {"ok": False, "error_code": status, "description": description})


def google_chat(service: StandIn, asked: Asked, body: dict[str, Any]) -> Answer:
    if urlsplit(asked.path).path != urlsplit(GOOGLE_PATH).path:
        return _google_error(404, "NOT_FOUND")
    if asked.path != GOOGLE_PATH:
        return _google_error(403, "PERMISSION_DENIED")
    if not body.get("text") or len(asked.body) > 32_000:
        return _google_error(400, "INVALID_ARGUMENT")
    assert not re.search(r"<(users/|https?:)", body["text"]), "a mention or a link"
    service.shown.append(body["text"].replace("\u2060", ""))
    return Answer.json(200, {"name": IDS["google_chat"], "thread": {"name": "spaces/AAAA/threads/D"}, **body})


def _google_error(status: int, code: str) -> Answer:
    return Answer.json(status, {"error": {"code": status, "message": "…", "status": code}})


SERVICES: dict[str, Callable[[StandIn, Asked, dict[str, Any]], Answer]] = {
    "slack": slack,
    "slack_bot": slack_bot,
    "teams": teams,
    "discord": discord,
    "telegram": telegram,
    "google_chat": google_chat,
}


@contextmanager
def running(preset: str) -> Iterator[StandIn]:
    answer_to = SERVICES[preset]
    with serving(script_at=lambda url: StandIn(url, answer_to)) as service:
        assert isinstance(service, StandIn)
        yield service


def provider_at(service: StandIn, preset: str, secret: str | None = None) -> Http:
    return webhook(WEBHOOK_CHAT=SECRETS[preset] if secret is None else secret, WEBHOOK_PRESET_URL=service.url)


def delivery_with(preset: str, body: dict[str, Any] | None = None, **config: object) -> Delivery:
    """A delivery on a channel with the preset, addressed as planning does."""
    config = {"preset": preset, "secret_ref": "WEBHOOK_CHAT", **config}
    recipient = configured_address(config) or RECIPIENTS[preset]
    content = {"body": {"title": "Paid", "text": "You paid 10 €."} if body is None else body}
    return make_delivery("webhook", recipient=recipient, config=config, content=content)
