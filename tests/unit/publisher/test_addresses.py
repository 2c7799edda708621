"""Address checks, specified by lists of good and bad addresses."""

import pytest

from publisher_api.addresses import BadAddress, check
from shared.addresses import AddressKind

GOOD = [
    (AddressKind.EMAIL, "Ada@EXAMPLE.com", "Ada@example.com"),
    (AddressKind.EMAIL, "jörg@exämple.de", "jörg@exämple.de"),
    (AddressKind.PHONE, "+44 7700 900123", "+447700900123"),
    (AddressKind.PHONE, "+1 (202) 555-0123", "+12025550123"),
    (AddressKind.PHONE, "＋447700900123", "+447700900123"),  # noqa: RUF001 - the plus sign of East Asian keyboards
    (AddressKind.URL, "https://hooks.example.com/x?y=1", "https://hooks.example.com/x?y=1"),
    (AddressKind.URL, "http://[::1]:8080/", "http://[::1]:8080/"),
    (AddressKind.URL, "http://127.0.0.1/", "http://127.0.0.1/"),
    (AddressKind.DEVICE_TOKEN, "fGc1:APA91b-_0", "fGc1:APA91b-_0"),
    (AddressKind.USER_ID, "user 7 ü", "user 7 ü"),
]
BAD = [
    (AddressKind.EMAIL, "nobody"),
    (AddressKind.EMAIL, "a b@example.com"),
    (AddressKind.EMAIL, "a@b@example.com"),
    (AddressKind.EMAIL, "a@example.com\nBcc: b@example.com"),
    (AddressKind.PHONE, "07700 900123"),
    (AddressKind.PHONE, "0770"),
    (AddressKind.PHONE, "+1"),
    (AddressKind.PHONE, "+12530000"),
    (AddressKind.PHONE, "+1-800-FLOWERS"),
    (AddressKind.PHONE, "+447700900123;ext=5"),
    (AddressKind.URL, "ftp://x"),
    (AddressKind.URL, "hooks.example.com"),
    (AddressKind.URL, "https://user:secret@x/"),
    (AddressKind.URL, "https://a..b/x"),
    (AddressKind.URL, f"https://{'a' * 70}.example/"),
    (AddressKind.URL, "http://./"),
    (AddressKind.URL, "https://x/a b"),
    (AddressKind.URL, "https://x/" + "a" * 2048),
    (AddressKind.URL, "http://x:99999/"),
    (AddressKind.DEVICE_TOKEN, ""),
    (AddressKind.DEVICE_TOKEN, "a b"),
    (AddressKind.DEVICE_TOKEN, "ü"),
    (AddressKind.DEVICE_TOKEN, "x" * 2001),
    (AddressKind.USER_ID, ""),
    (AddressKind.USER_ID, "a/b"),
    (AddressKind.USER_ID, "x" * 129),
    (AddressKind.USER_ID, ".."),
    (AddressKind.USER_ID, "__id__"),
    (AddressKind.USER_ID, "a\x00"),
]


@pytest.mark.parametrize(("kind", "text", "normalised"), GOOD)
def test_a_good_address_is_normalised(kind: AddressKind, text: str, normalised: str) -> None:
    assert check(kind, text) == normalised


@pytest.mark.parametrize(("kind", "text"), BAD)
def test_a_bad_address_is_refused_without_repeating_it(kind: AddressKind, text: str) -> None:
    with pytest.raises(BadAddress) as caught:
        check(kind, text)
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize("kind", AddressKind)
def test_every_kind_of_address_has_good_and_bad_examples(kind: AddressKind) -> None:
    assert kind in {each for each, _, _ in GOOD}
    assert kind in {each for each, _ in BAD}
