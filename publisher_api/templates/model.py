"""A template, as the API takes and shows it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from publisher_api.fields import MAX_CHANNELS, Locale, Name, UserId, Version, language_tag
from shared.sms_text import Encoding

MAX_LOCALES = 50


def _each_language_once(locales: Any) -> Any:
    """Raises ``ValueError`` for two tags that mean the same language: one would replace the other."""
    if not isinstance(locales, dict):
        return locales
    seen: dict[str, str] = {}
    for tag in locales:
        other = seen.setdefault(_standard(tag), tag)
        if other is not tag:
            message = f"{other} and {tag} are the same language"
            raise ValueError(message)
    return locales


def _standard(tag: str) -> str:
    try:
        return language_tag(tag)
    except ValueError:  # the type of the keys refuses it
        return tag


Contents = Annotated[dict[Name, dict[str, Any]], Field(max_length=MAX_CHANNELS)]
Locales = Annotated[
    dict[Locale, Annotated[Contents, Field(min_length=1)]],
    Field(max_length=MAX_LOCALES),
    BeforeValidator(_each_language_once),
]


class TemplateContent(BaseModel):
    """Content by channel or channel type, with the fields of the type's content. Each text is a Jinja2 template."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "content": {"email": {"subject": "Paid", "text": "You paid {{ amount }}."}},
                    "locales": {"pt": {"email": {"subject": "Pago", "text": "Você pagou {{ amount }}."}}},
                }
            ]
        },
    )

    content: Contents = Field(description="The default variant, for users of any other language.")
    locales: Locales = Field(default_factory=dict, description="Variants by language tag, like pt-BR.")


class TemplateFields(TemplateContent):
    """The next version of a template."""

    publish: Annotated[bool, Field(strict=True)] = Field(
        default=True, description="Use it from now on. false: a draft, which a request can name by its version."
    )


class TemplateView(BaseModel):
    """One version of a template. It never changes."""

    template_name: str
    tenant: str | None
    version: int
    published_version: int | None = Field(description="The version that notifications use; null: only drafts.")
    latest_version: int
    content: dict[str, dict[str, Any]]
    locales: dict[str, dict[str, dict[str, Any]]]
    created_at: datetime = Field(description="When this version was stored.")
    variables: list[str] = Field(default_factory=list, description="What its texts read of the payload.")


class TemplateSummary(BaseModel):
    """A template, without its content."""

    template_name: str
    tenant: str | None
    published_version: int | None
    latest_version: int
    changed_at: datetime = Field(description="When the latest version was stored.")


class TemplatePage(BaseModel):
    """Templates, sorted by name. `next` is the `after` of the page that follows; null on the last page."""

    templates: list[TemplateSummary]
    next: str | None


class VersionSummary(BaseModel):
    """A version of a template, without its content."""

    version: int
    published: bool
    created_at: datetime


class VersionPage(BaseModel):
    """Versions, the newest first. `next` is the `before` of the page that follows; null on the last page."""

    versions: list[VersionSummary]
    next: int | None


class PublishRequest(BaseModel):
    """The version to use from now on: a draft, or an older version."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"version": 3}]})

    version: Version


class RenderRequest(BaseModel):
    """What to render with: a payload, or that of a notification. A user's language and attributes are used if named."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"payload": {"amount": 10}, "user_id": "u1", "locale": "pt-BR"}]},
    )

    payload: dict[str, Any] | None = None
    notification_id: UUID | None = Field(
        default=None, description="Its payload, event type, user, actor and language are used."
    )
    event_type: Name | None = None
    user_id: UserId | None = None
    locale: Locale | None = Field(default=None, description="Default: that of the notification or the user.")
    version: Version | None = Field(default=None, description="Default: the published one, or the latest draft.")


class RenderedSms(BaseModel):
    """How a text travels as SMS."""

    encoding: Encoding
    characters: int = Field(description="As the network counts them: some take two places.")
    segments: int = Field(description="What a provider bills.")


class RenderView(BaseModel):
    """The content of each channel of the template, as it would be sent."""

    version: int = Field(description="Of the template that was asked for, or of the shared one if a tenant has none.")
    content: dict[str, dict[str, Any]]
    locales: dict[str, str | None] = Field(description="The language of each channel's variant; null is the default.")
    sms: dict[str, RenderedSms] = Field(description="Of each channel of the type sms.")
