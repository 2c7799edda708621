"""Presets of the webhook channel: the chat services that a channel can name in the place of a URL, as data.

A preset says where its service takes messages, which secret it needs, and who gets them. What a message looks like,
and what the service's answers mean, is in ``functions/webhook/services.py``.

The secret is either the URL that the service gives out, or a token. In both cases its value begins with the origin that
may receive it: a URL does by itself, and a token is written after the origin, with a space between them.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from shared.webhook_secrets import PLACEHOLDER

STAND_IN = "WEBHOOK_PRESET_URL"
"""The variable with the address of a stand-in for all services, for tests."""


class Recipient(msgspec.Struct, frozen=True):
    """Who gets the messages of a service with many rooms: in words, and as a regular expression."""

    description: str
    pattern: str


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """A chat service.

    ``hosts`` are those that may get the secret; one that begins with a dot stands for every host below it. ``url`` and
    ``headers`` have ``{secret}`` where the secret is filled in; a ``url`` that is nothing else is the secret itself.
    ``credential`` describes the value of the secret. ``recipient`` is None where the URL says who gets the messages.
    ``documentation`` is where the service describes what is used.
    """

    name: str
    title: str
    hosts: tuple[str, ...]
    url: str
    credential: str
    documentation: tuple[str, ...]
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    recipient: Recipient | None = None

    @property
    def secret_is_url(self) -> bool:
        return self.url == PLACEHOLDER

    @property
    def address(self) -> str:
        """What a delivery is addressed to where the URL says who gets it. The URL itself is a secret."""
        return f"https://{self.hosts[0].removeprefix('.')}/"

    def has_host(self, host: str) -> bool:
        """Whether ``host`` may get the secret."""
        return any(host.endswith(known) if known.startswith(".") else host == known for known in self.hosts)

    def accepts(self, recipient: str) -> bool:
        """Whether ``recipient`` has the form of this service's recipients."""
        return self.recipient is not None and re.fullmatch(self.recipient.pattern, recipient) is not None


_ALL = (
    Preset(
        name="slack",
        title="Slack, incoming webhook",
        hosts=("hooks.slack.com",),
        url=PLACEHOLDER,
        credential="the webhook's URL: https://hooks.slack.com/services/…",
        documentation=("https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks",),
    ),
    Preset(
        name="slack_bot",
        title="Slack, bot",
        hosts=("slack.com",),
        url="https://slack.com/api/chat.postMessage",
        headers={"Authorization": f"Bearer {PLACEHOLDER}"},
        credential="https://slack.com, a space and the bot's token with the scope chat:write: https://slack.com xoxb-…",
        recipient=Recipient("a Slack channel or user, by id or name: C0123ABCD, U0123ABCD, #alerts", r"#?[\w.-]{1,80}"),
        documentation=("https://docs.slack.dev/reference/methods/chat.postMessage",),
    ),
    Preset(
        name="teams",
        title="Microsoft Teams, Workflows",
        hosts=(".logic.azure.com", ".api.powerplatform.com"),
        url=PLACEHOLDER,
        credential="the URL of the workflow's trigger “When a Teams webhook request is received”",
        documentation=(
            "https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using",
            "https://adaptivecards.io/explorer/TextBlock.html",
            "https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features",
        ),
    ),
    Preset(
        name="discord",
        title="Discord",
        hosts=("discord.com", "discordapp.com"),
        url=PLACEHOLDER,
        query={"wait": "true"},
        credential="the webhook's URL: https://discord.com/api/webhooks/…",
        documentation=(
            "https://docs.discord.com/developers/resources/webhook#execute-webhook",
            "https://docs.discord.com/developers/topics/opcodes-and-status-codes",
            "https://support.discord.com/hc/articles/210298617",
        ),
    ),
    Preset(
        name="telegram",
        title="Telegram",
        hosts=("api.telegram.org",),
        url=f"https://api.telegram.org/bot{PLACEHOLDER}/sendMessage",
        credential="https://api.telegram.org, a space and the bot's token: https://api.telegram.org 7:AAE…",
        recipient=Recipient("a chat_id: 12345, -100123456, @channelname", r"-?[0-9]{1,20}|@[A-Za-z0-9_]{4,64}"),
        documentation=("https://core.telegram.org/bots/api#sendmessage", "https://core.telegram.org/api/errors"),
    ),
    Preset(
        name="google_chat",
        title="Google Chat",
        hosts=("chat.googleapis.com",),
        url=PLACEHOLDER,
        credential="the webhook's URL: https://chat.googleapis.com/v1/spaces/…/messages?key=…&token=…",
        documentation=(
            "https://developers.google.com/workspace/chat/quickstart/webhooks",
            "https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create",
        ),
    ),
)
PRESETS: Mapping[str, Preset] = {preset.name: preset for preset in _ALL}


def preset_of(config: Mapping[str, Any]) -> Preset | None:
    """The preset that a channel's config names, if this release knows it."""
    return PRESETS.get(config.get("preset", ""))


def configured_address(config: Mapping[str, Any]) -> str | None:
    """What a channel with this config sends to where the request names no address; None if the request must."""
    preset = preset_of(config)
    if preset is None:
        return config.get("url")
    return preset.address if preset.recipient is None else config.get("recipient")
