"""Checks addresses by the rules of their kind, without asking the network."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from urllib.parse import urlsplit

import phonenumbers
from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from shared.addresses import AddressKind

MAX_USER_ID = 128  # Firebase Auth's limit
MAX_URL = 2048
MAX_TOKEN = 2000  # a Postgres index entry holds no more; tokens have about 200 characters

# No letters and no extensions: the library would turn them into digits, or drop them.
_PHONE = re.compile(r"[+＋][\d\s()./\-\u2010-\u2015]+")  # noqa: RUF001 - the plus sign of East Asian keyboards


class BadAddress(ValueError):
    """The text is not an address of its kind. The message says why, without repeating the text."""


def email(text: str) -> str:
    """The normalised e-mail address. Raises ``BadAddress``."""
    return _valid_email(text).normalized


def ascii_email(text: str) -> str:
    """The normalised e-mail address in ASCII, with a domain like ``xn--…`` if needed. Raises ``BadAddress``."""
    address = _valid_email(text).ascii_email
    if address is None:
        raise BadAddress("not an e-mail address in ASCII: only the domain may have other characters")
    return address


def _valid_email(text: str) -> ValidatedEmail:
    try:
        return validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise BadAddress(f"not an e-mail address: {error}") from None


def phone(text: str) -> str:
    """The phone number in E.164 (``+447700900123``). Raises ``BadAddress``."""
    try:
        number = phonenumbers.parse(text, None) if _PHONE.fullmatch(text.strip()) else None
    except phonenumbers.NumberParseException:
        number = None
    # is_possible_number() would also accept numbers that can be dialled within one town only.
    possible = number and phonenumbers.is_possible_number_with_reason(number)
    if number is None or possible != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise BadAddress(
            "not a phone number in E.164: a plus sign, the country code and the number, like +447700900123"
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def country_of_phone(number: str) -> str | None:
    """The country (ISO 3166) of a number in E.164; None where a number belongs to no single one."""
    country: str | None = phonenumbers.region_code_for_number(phonenumbers.parse(number, None))
    return country


def url(text: str) -> str:
    """An http or https URL without credentials. Raises ``BadAddress``."""
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise BadAddress(f"not a URL: {error}") from None
    if parts.scheme not in ("https", "http") or not host or not _is_host(host):
        raise BadAddress("not a URL: it must start with https:// and name a host")
    if parts.username or parts.password:
        raise BadAddress("a URL must not contain a user name or password: name a secret in the channel's config")
    if len(text) > MAX_URL or not text.isprintable() or " " in text:
        raise BadAddress(f"not a URL: at most {MAX_URL} printable characters, without spaces")
    return text


def _is_host(host: str) -> bool:
    with suppress(ValueError):
        ipaddress.ip_address(host)
        return True
    with suppress(UnicodeError):  # an empty or overlong label
        host.encode("idna")
        return host.strip(".") != ""
    return False


def device_token(text: str) -> str:
    """A device's registration token. Raises ``BadAddress``."""
    if not text or len(text) > MAX_TOKEN or not text.isascii() or not text.isprintable() or " " in text:
        raise BadAddress(f"not a registration token: 1 to {MAX_TOKEN} printable ASCII characters, without spaces")
    return text


def user_id(text: str) -> str:
    """A user id that can also name a Firestore document. Raises ``BadAddress``."""
    if not 1 <= len(text) <= MAX_USER_ID or not text.isprintable() or "/" in text:
        raise BadAddress(f"a user id has 1 to {MAX_USER_ID} printable characters and no slash")
    if text in (".", "..") or (text.startswith("__") and text.endswith("__")):
        raise BadAddress("this user id is reserved by Firestore; choose another")
    return text


CHECKS: Mapping[AddressKind, Callable[[str], str]] = {
    AddressKind.EMAIL: email,
    AddressKind.PHONE: phone,
    AddressKind.DEVICE_TOKEN: device_token,
    AddressKind.URL: url,
    AddressKind.USER_ID: user_id,
}


def check(kind: AddressKind, text: str) -> str:
    """``text`` as a normalised address of ``kind``. Raises ``BadAddress``."""
    return CHECKS[kind](text)
