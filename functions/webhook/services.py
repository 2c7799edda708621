"""The chat services behind the presets, as data: what a message looks like, and what the answers mean.

``shared/webhook_presets.py`` names the documentation of each. A refusal that is about our credential is retried, and
not booked as the recipient's: the delivery waits in the outbox until somebody has replaced the secret.
"""

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from functions.runtime.statuses import HTTP, Reject, Retry, Verdict
from functions.webhook import markdown
from functions.webhook.chat import Body, ChatMessage
from shared.reasons import Reason
from shared.sms_text import utf16_length

_OURS = Retry(Reason.CREDENTIALS_REFUSED)
_UNSAFE = Reject(Reason.BAD_REQUEST)
_UNKNOWN = Reject(Reason.INVALID_RECIPIENT)
_GONE = Reject(Reason.GONE)
_LATER = Retry(Reason.NOT_ACCEPTED_NOW)
_LIMITED = Retry(Reason.RATE_LIMITED)
_TOO_LARGE = Reject(Reason.TOO_LARGE)
_COMMON: Mapping[int, Verdict] = {**HTTP, 400: _UNSAFE, 401: _OURS, 403: _OURS, 404: _GONE, 410: _GONE, 413: _TOO_LARGE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A chat service.

    ``write`` makes the body of a message for a recipient (empty where the URL says who gets it), and ``fits`` says
    whether the service takes it. ``message_id`` is the place of the message's id in the answer, or the header that has
    it. ``code`` is the place of the service's own code (without a place, the whole answer is the code); ``codes`` says
    what it means where that is more than the status says. ``ok`` is the field that says whether a 200 is a success.
    """

    write: Callable[[ChatMessage, str], Body]
    fits: Callable[[Body], bool]
    message_id: tuple[str, ...] = ()
    message_id_header: str = ""
    code: tuple[str, ...] = ()
    codes: Mapping[str, Verdict] = field(default_factory=dict)
    statuses: Mapping[int, Verdict] = field(default_factory=lambda: _COMMON)
    ok: str = ""


def _paragraphs(title: str, text: str) -> str:
    return f"{title}\n{text}" if text else title


def _mrkdwn(message: ChatMessage) -> str:
    """Slack's markup, in which three characters control links and mentions."""
    title, text = (html.escape(each, quote=False) for each in message)
    return _paragraphs(f"*{' '.join(title.split())}*", text)


def _adaptive_card(message: ChatMessage, _recipient: str) -> Body:
    title, text = map(markdown.TEAMS.escaped, message)
    blocks: list[dict[str, Any]] = [{"type": "TextBlock", "text": title, "weight": "Bolder", "wrap": True}]
    if text:  # a single line feed is a space in a TextBlock
        blocks.append({"type": "TextBlock", "text": text.replace("\n", "\n\n"), "wrap": True})
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _discord(message: ChatMessage, _recipient: str) -> Body:
    title, text = map(markdown.DISCORD.escaped, message)
    return {"content": _paragraphs(f"**{' '.join(title.split())}**", text), "allowed_mentions": {"parse": []}}


def _without_mentions(text: str) -> str:
    """Google Chat reads <users/all> as a mention of everybody, and has no escape. A word joiner ends the tag."""
    return text.replace("<", "<\u2060")


def _at_most(name: str, limit: int, measure: Callable[[str], int] = len) -> Callable[[Body], bool]:
    return lambda body: measure(body[name]) <= limit


def _bytes_at_most(limit: int) -> Callable[[Body], bool]:
    return lambda body: len(msgspec.json.encode(body)) <= limit


_SLACK_CODES: Mapping[str, Verdict] = {
    "action_prohibited": _OURS,
    "channel_is_archived": _GONE,
    "channel_not_found": _UNKNOWN,
    "invalid_payload": _UNSAFE,
    "invalid_token": _OURS,
    "no_active_hooks": _GONE,
    "no_service": _GONE,
    "no_service_id": _GONE,
    "no_team": _GONE,
    "no_text": _UNSAFE,
    "posting_to_general_channel_denied": _OURS,
    "team_disabled": _OURS,
    "user_not_found": _UNKNOWN,
}
_SLACK_BOT_CODES: Mapping[str, Verdict] = {
    **dict.fromkeys(("account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"), _OURS),
    **dict.fromkeys(
        ("access_denied", "ekm_access_denied", "missing_scope", "no_permission", "org_login_required"), _OURS
    ),
    **dict.fromkeys(("enterprise_is_restricted", "not_allowed_token_type", "team_access_not_granted"), _OURS),
    **dict.fromkeys(("not_in_channel", "restricted_action"), _OURS),  # an administrator lets the bot in
    **dict.fromkeys(("channel_not_found", "cannot_dm_bot", "user_not_found"), _UNKNOWN),
    # Slack says of these two that the message may have been posted before the error.
    **dict.fromkeys(("fatal_error", "internal_error"), Retry(Reason.PROVIDER_ERROR, ambiguous=True)),
    **dict.fromkeys(("message_limit_exceeded", "rate_limited", "ratelimited"), _LIMITED),
    **dict.fromkeys(("service_unavailable", "team_added_to_org"), Retry(Reason.PROVIDER_ERROR)),
    "is_archived": _GONE,
    "msg_too_long": _TOO_LARGE,
    "request_timeout": Retry(Reason.TIMEOUT),
}

SERVICES: Mapping[str, Service] = {
    "slack": Service(
        write=lambda message, _: {"text": _mrkdwn(message)},
        fits=_at_most("text", 40_000),
        codes=_SLACK_CODES,
    ),
    "slack_bot": Service(
        write=lambda message, channel: {"channel": channel, "text": _mrkdwn(message)},
        fits=_at_most("text", 40_000),
        ok="ok",
        message_id=("ts",),
        code=("error",),
        codes=_SLACK_BOT_CODES,
    ),
    "teams": Service(
        write=_adaptive_card,
        fits=_bytes_at_most(28 * 1024),
        message_id_header="x-ms-workflow-run-id",
        code=("error", "code"),
        codes={"WorkflowTriggerIsNotEnabled": _LATER},
    ),
    "discord": Service(
        write=_discord,
        fits=_at_most("content", 2000, utf16_length),
        message_id=("id",),
        code=("code",),
        codes={"10003": _GONE, "10015": _GONE, "40005": _TOO_LARGE, "50006": _UNSAFE, "50027": _OURS, "50035": _UNSAFE},
    ),
    "telegram": Service(
        write=lambda message, chat: {"chat_id": chat, "text": _paragraphs(message.title, message.text)},
        fits=_at_most("text", 4096, utf16_length),
        message_id=("result", "message_id"),
        code=("description",),
        # 403: the user blocked the bot, or it is no member of the chat. 404: the token is none.
        statuses={**_COMMON, 403: Reject(Reason.REFUSED), 404: _OURS},
    ),
    "google_chat": Service(
        write=lambda message, _: {
            "text": _paragraphs(
                f"*{_without_mentions(' '.join(message.title.split()))}*", _without_mentions(message.text)
            )
        },
        fits=_bytes_at_most(32_000),
        message_id=("name",),
        code=("error", "status"),
        codes={"RESOURCE_EXHAUSTED": _LIMITED},
    ),
}
"""By the preset's name."""
