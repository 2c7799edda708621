"""The config of a channel: one model for each channel type. Pure.

PUT, POST and PATCH, declared files and ``GET /v1/channel-configs`` use the same models. A field is here only if the
functions or the planning of deliveries use it. No field holds a credential: some name a secret.
"""

from collections.abc import Mapping
from email.headerregistry import Address
from email.utils import getaddresses
from typing import Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from publisher_api import addresses
from publisher_api.fields import Name
from publisher_api.json_body import deeper_than
from publisher_api.limits.model import LimitFields
from shared import webhook_body
from shared.lanes import URGENT_PRIORITY
from shared.sms_sender import MESSAGING_SERVICE, is_messaging_service
from shared.webhook_presets import PRESETS
from shared.webhook_secrets import MASTER_SECRET, PLACEHOLDER

PLAIN_HEADERS = frozenset(
    {"accept", "accept-language", "cache-control", "content-language", "prefer", "x-environment", "x-source"}
)
"""Headers that hold no credential. Any other header might, whatever its name."""
# Headers that describe the connection or belong to the signed request. The webhook function sets them.
_OUR_HEADERS = {"connection", "content-length", "content-type", "expect", "host", "te", "trailer", "transfer-encoding"}
_OUR_HEADERS |= {"upgrade", "user-agent", "webhook-id", "webhook-signature", "webhook-timestamp"}
_MAX_TENANTS = 200
_MAX_HEADERS = 20
_MAX_SENDER = 320
# E.164, a messaging service, a short code, or an alphanumeric sender id, which has a letter.
_SMS_SENDER = rf"^(\+[1-9][0-9]{{6,14}}|{MESSAGING_SERVICE}|[0-9]{{3,8}}|[A-Za-z0-9 ]*[A-Za-z][A-Za-z0-9 ]*)$"
_MAX_SENDER_NAME = 11


def _plain_headers(headers: dict[str, str]) -> dict[str, str]:
    for name in headers:
        if name.lower() not in PLAIN_HEADERS:
            known = ", ".join(sorted(PLAIN_HEADERS))
            raise ValueError(f"{name} may hold a credential; name it in header_secret_refs. Plain headers are {known}")
    return headers


def _settable_headers(names: dict[str, str]) -> dict[str, str]:
    for name in names:
        if name.lower() in _OUR_HEADERS:
            raise ValueError(f"{name} is set by the webhook function and cannot be changed")
    return names


def _not_the_master_secret(name: str) -> str:
    if name == MASTER_SECRET:
        raise ValueError(f"{MASTER_SECRET} is the secret from which every receiver's secret is derived; name another")
    return name


def _mailbox(text: str) -> str:
    """The e-mail address in ASCII, after the name if there is one."""
    found = getaddresses([text])
    if len(found) != 1 or not text.isprintable():
        raise ValueError('not one sender: write hello@example.com, or "Name" <hello@example.com>')
    [(name, address)] = found
    address = addresses.ascii_email(address)
    return str(Address(name, addr_spec=address)) if name else address


def _once(names: list[str]) -> list[str]:
    if len(set(names)) != len(names):
        raise ValueError("each provider may be named once")
    return names


def _known_preset(name: str) -> str:
    if name not in PRESETS:
        raise ValueError(f"unknown preset; presets are {', '.join(PRESETS)}")
    return name


def _fillable(template: dict[str, Any]) -> dict[str, Any]:
    if len(msgspec.json.encode(template)) > webhook_body.MAX_BYTES or deeper_than(template, webhook_body.MAX_DEPTH):
        size = f"{webhook_body.MAX_BYTES // 1024} KB, nested {webhook_body.MAX_DEPTH} levels deep"
        raise ValueError(f"may have at most {size}")
    if unknown := webhook_body.unknown_placeholders(template):
        known = ", ".join(f"{{{name}}}" for name in webhook_body.PLACEHOLDERS)
        raise ValueError(f"has the unknown placeholder {{{unknown[0]}}}; placeholders are {known}")
    return template


# RFC 9110: a token, and visible characters.
HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", max_length=256)]
HeaderValue = Annotated[str, Field(pattern=r"^[!-~]([\t -~]*[!-~])?$", max_length=4096)]
SecretName = Annotated[
    str, Field(pattern=r"^WEBHOOK_[A-Z0-9_]+$", max_length=128), AfterValidator(_not_the_master_secret)
]
Mailbox = Annotated[str, Field(min_length=3, max_length=_MAX_SENDER), AfterValidator(_mailbox)]


_TENANTS = Field(max_length=_MAX_TENANTS, json_schema_extra={"additionalProperties": False})


class CommonConfig(BaseModel):
    """What the config of every channel type may have."""

    model_config = ConfigDict(extra="forbid")

    urgent_priority: Annotated[int, Field(ge=0, le=1000, strict=True)] | None = Field(
        default=None,
        description=f"From which priority on a notification does not wait for quiet hours. Default: {URGENT_PRIORITY}.",
    )


class SendingConfig(CommonConfig):
    """The config of a channel type that sends to somebody else's server."""

    rate: LimitFields | None = Field(
        default=None, description="How fast the channel sends, unless `PUT /v1/limits/channel:{channel}` says it."
    )


class ProvidersConfig(SendingConfig):
    """The config of a channel type that may have several providers."""

    providers: (
        Annotated[
            list[str],
            Field(min_length=1, max_length=10, json_schema_extra={"uniqueItems": True}),
            AfterValidator(_once),
        ]
        | None
    ) = Field(default=None, description="The providers to try, in this order. Default: all that are configured.")
    accept_duplicates: Annotated[bool, Field(strict=True)] | None = Field(
        default=None, description="Try the next provider also when the last one may have sent the message."
    )


class EmailSender(BaseModel):
    """Who an e-mail is from, and where answers to it go."""

    model_config = ConfigDict(extra="forbid")

    address: Mailbox | None = Field(
        default=None, alias="from", examples=["News <news@example.com>"], description="In place of `EMAIL_FROM`."
    )
    reply_to: Mailbox | None = None


_TENANT_SENDERS = "In place of `sender`, for the notifications of a tenant."


class EmailConfig(ProvidersConfig):
    """The config of an e-mail channel."""

    sender: EmailSender | None = None
    tenant_senders: Annotated[dict[Name, EmailSender], _TENANTS] | None = Field(
        default=None, description=_TENANT_SENDERS
    )


def _short_name(sender: str) -> str:
    if not sender.startswith("+") and len(sender) > _MAX_SENDER_NAME and not is_messaging_service(sender):
        raise ValueError(f"a name has up to {_MAX_SENDER_NAME} letters and digits")
    return sender


SmsSender = Annotated[str, Field(pattern=_SMS_SENDER, max_length=34), AfterValidator(_short_name)]


class SmsConfig(ProvidersConfig):
    """The config of an SMS channel."""

    sender: SmsSender | None = Field(
        default=None,
        examples=["+15005550006"],
        description="In place of `TWILIO_FROM`: a number in E.164, a name of up to 11 letters and digits, a short code,"
        " or the id of a Messaging Service (`MG…`), which may also send RCS.",
    )
    tenant_senders: Annotated[dict[Name, SmsSender], _TENANTS] | None = Field(default=None, description=_TENANT_SENDERS)


class PushConfig(ProvidersConfig):
    """The config of a push channel."""


class InappConfig(CommonConfig):
    """The config of a channel to the inbox."""


class WebhookConfig(SendingConfig):
    """The config of a webhook: a preset and its secret, or a request of your own."""

    preset: Annotated[str, Field(json_schema_extra={"enum": list(PRESETS)}), AfterValidator(_known_preset)] | None = (
        Field(default=None, description="A chat service. It excludes the fields that describe a request.")
    )
    secret_ref: SecretName | None = Field(
        default=None, description="The secret that signs the requests; with a preset, the secret that the service gave."
    )
    recipient: Annotated[str, Field(min_length=1, max_length=128)] | None = Field(
        default=None, description="Who gets the messages, for a preset with recipients. Default: as the request says."
    )
    url: Annotated[str, AfterValidator(addresses.url)] | None = Field(
        default=None, description=f"Where to send. `{PLACEHOLDER}` in path or query stands for `url_secret_ref`."
    )
    url_secret_ref: SecretName | None = Field(default=None, description="The secret that is part of `url`.")
    method: Literal["POST", "PUT", "PATCH"] | None = None
    headers: (
        Annotated[dict[HeaderName, HeaderValue], Field(max_length=_MAX_HEADERS), AfterValidator(_plain_headers)] | None
    ) = None
    header_secret_refs: (
        Annotated[dict[HeaderName, SecretName], Field(max_length=_MAX_HEADERS), AfterValidator(_settable_headers)]
        | None
    ) = Field(default=None, description="Headers whose values are secrets: the header's name and the secret's name.")
    body: Annotated[dict[str, Any], AfterValidator(_fillable)] | None = Field(
        default=None,
        examples=[{"message": "{title}: {text}", "event": "{body}"}],
        description="The JSON to send in place of the content's body. Placeholders are "
        + ", ".join(f"`{{{name}}}`" for name in webhook_body.PLACEHOLDERS)
        + ".",
    )


CONFIGS: Mapping[str, type[CommonConfig]] = {
    "email": EmailConfig,
    "inapp": InappConfig,
    "push": PushConfig,
    "sms": SmsConfig,
    "webhook": WebhookConfig,
}
"""The model of each channel type's config."""
