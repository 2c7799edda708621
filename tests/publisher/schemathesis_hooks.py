"""Examples of the formats that the API's schema names and schemathesis does not know."""

from zoneinfo import available_timezones

import phonenumbers
import schemathesis
from hypothesis import strategies as st


def _numbers() -> list[str]:
    """A number of each region of the world, in E.164."""
    examples = [phonenumbers.example_number(region) for region in sorted(phonenumbers.SUPPORTED_REGIONS)]
    return [phonenumbers.format_number(each, phonenumbers.PhoneNumberFormat.E164) for each in examples if each]


schemathesis.openapi.format("phone", st.sampled_from(_numbers()))
# ASCII: an id that is not in the URL's normal form would be another id.
schemathesis.openapi.format("user-id", st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 @._-]{0,127}", fullmatch=True))
schemathesis.openapi.format("timezone", st.sampled_from(sorted(available_timezones())))
schemathesis.openapi.format("locale", st.sampled_from(["de", "en-GB", "pt-BR", "sr-Latn-RS", "zh-Hans-CN"]))
