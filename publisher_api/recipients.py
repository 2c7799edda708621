"""Whether an address can be an address, decided by the libraries that know the rules. No network is asked."""

import ipaddress
import re
from contextlib import suppress
from urllib.parse import urlsplit

import phonenumbers
from email_validator import EmailNotValidError, validate_email

MAX_USER_ID = 128  # Firebase Auth's own limit
MAX_URL = 2048
MAX_TOKEN = 2000  # an index of Postgres takes no more; tokens have some 200


class BadAddress(ValueError):
    """The text cannot be an address of its kind; the message says why, without repeating it."""


def email(text: str) -> str:
    """A normalised e-mail address. Raises ``BadAddress``."""
    try:
        return validate_email(text, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise BadAddress(f"not an e-mail address: {error}") from None


def phone(text: str) -> str:
    """A number in E.164 (``+447700900123``). Raises ``BadAddress``."""
    try:
        number = phonenumbers.parse(text, None) if _PHONE.fullmatch(text.strip()) else None
    except phonenumbers.NumberParseException:
        number = None
    # "Possible" alone would do for numbers that can be dialled within one town only.
    possible = number and phonenumbers.is_possible_number_with_reason(number)
    if number is None or possible != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise BadAddress(
            "not a phone number in E.164: a plus sign, the country code and the number, like +447700900123"
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


# Without letters and extensions, which would be turned into digits or dropped.
_PHONE = re.compile(r"[+＋][\d\s()./\-\u2010-\u2015]+")  # noqa: RUF001 - the plus that East Asian keyboards give


def url(text: str) -> str:
    """An http(s) address without credentials in it. Raises ``BadAddress``."""
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise BadAddress(f"not a web address: {error}") from None
    if parts.scheme not in ("https", "http") or not host or not _is_host(host):
        raise BadAddress("not a web address: it must start with https:// and name a host")
    if parts.username or parts.password:
        raise BadAddress("a web address must hold no user name or password: name a secret in the channel's config")
    if len(text) > MAX_URL or not text.isprintable() or " " in text:
        raise BadAddress(f"not a web address: at most {MAX_URL} printable characters, without spaces")
    return text


def _is_host(host: str) -> bool:
    with suppress(ValueError):
        ipaddress.ip_address(host)
        return True
    with suppress(UnicodeError):  # an empty or an overlong label
        host.encode("idna")
        return host.strip(".") != ""
    return False


def token(text: str) -> str:
    """A device's registration token. Raises ``BadAddress``."""
    if not text or len(text) > MAX_TOKEN or not text.isascii() or not text.isprintable() or " " in text:
        raise BadAddress(f"not a registration token: 1 to {MAX_TOKEN} printable ASCII characters, without spaces")
    return text


def user_id(text: str) -> str:
    """A user id that can also be the name of a Firestore document. Raises ``BadAddress``."""
    if not 1 <= len(text) <= MAX_USER_ID or not text.isprintable() or "/" in text:
        raise BadAddress("a user id has 1 to 128 printable characters and no slash")
    if text in (".", "..") or (text.startswith("__") and text.endswith("__")):
        raise BadAddress("Firestore keeps this name for itself; choose another user id")
    return text


CHECK_OF_KIND = {"email": email, "inapp": user_id, "push": token, "sms": phone, "webhook": url}
