"""The settings of the inbox that users call themselves."""

import pytest

from publisher_api.inbox.settings import InboxSettings, OidcSettings
from shared.errors import ConfigurationError


def test_nothing_is_set_by_default() -> None:
    assert InboxSettings.from_env({}) == InboxSettings(oidc=None, token_secret="", origins=frozenset())


def test_a_project_of_firebase_is_a_preset() -> None:
    found = InboxSettings.from_env({"FIREBASE_PROJECT": "shop"}).oidc
    assert found == OidcSettings(
        issuer="https://securetoken.google.com/shop",
        audience="shop",
        keys_url="https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
    )


def test_every_setting_is_read() -> None:
    environ = {
        "INBOX_OIDC_ISSUER": "https://issuer.example/",
        "INBOX_OIDC_AUDIENCE": "shop",
        "INBOX_JWKS_URL": "https://issuer.example/keys",
        "INBOX_TOKEN_SECRET": "s" * 32,
        "INBOX_ORIGINS": "https://Shop.example, http://localhost:3000,",
    }
    assert InboxSettings.from_env(environ) == InboxSettings(
        oidc=OidcSettings(issuer="https://issuer.example/", audience="shop", keys_url="https://issuer.example/keys"),
        token_secret="s" * 32,
        origins=frozenset({"https://shop.example", "http://localhost:3000"}),
    )


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"INBOX_TOKEN_SECRET": "s" * 31}, "INBOX_TOKEN_SECRET"),
        ({"INBOX_OIDC_ISSUER": "https://issuer.example"}, "INBOX_OIDC_AUDIENCE"),
        ({"INBOX_OIDC_AUDIENCE": "shop"}, "INBOX_OIDC_ISSUER"),
        ({"FIREBASE_PROJECT": "shop", "INBOX_OIDC_AUDIENCE": "shop"}, "FIREBASE_PROJECT"),
        ({"INBOX_ORIGINS": "https://shop.example/inbox"}, "https://shop.example/inbox"),
        ({"INBOX_OIDC_ISSUER": "issuer.example", "INBOX_OIDC_AUDIENCE": "shop"}, "INBOX_OIDC_ISSUER is no URL"),
        (
            {"INBOX_OIDC_ISSUER": "issuer.example", "INBOX_OIDC_AUDIENCE": "shop", "INBOX_JWKS_URL": "/keys"},
            "INBOX_JWKS_URL is no URL",
        ),
        ({"INBOX_ORIGINS": "*"}, "INBOX_ORIGINS"),
        ({"INBOX_ORIGINS": "shop.example"}, "INBOX_ORIGINS"),
    ],
)
def test_a_wrong_setting_is_named(environ: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        InboxSettings.from_env(environ)


def test_the_secret_is_not_shown() -> None:
    assert "sss" not in repr(InboxSettings(token_secret="s" * 32))
