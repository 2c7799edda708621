"""The hours in which the law or the operators of a country forbid advertising. Pure.

This is no legal advice, and not complete: some states and provinces allow fewer hours than their country, and public
holidays are not known here. A country that is not in ``FORBIDDEN`` has no such hours.
"""

from collections.abc import Mapping

import msgspec

from publisher_api.preferences.quiet_hours import Day, Window

_WORKDAYS: tuple[Day, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


class LegalHours(msgspec.Struct, frozen=True, kw_only=True):
    """``forbidden`` by the recipient's clock. Where their time zone is unknown, it must be allowed in all ``zones``."""

    forbidden: tuple[Window, ...]
    zones: list[str]
    source: str


FORBIDDEN: Mapping[tuple[str, str], LegalHours] = {
    ("sms", "US"): LegalHours(
        forbidden=(Window(start="21:00", end="08:00"),),
        zones=[
            "America/New_York",
            "America/Chicago",
            "America/Denver",
            "America/Los_Angeles",
            "America/Anchorage",
            "Pacific/Honolulu",
        ],
        source="47 CFR 64.1200(c)(1): no telephone solicitation before 8 a.m. or after 9 p.m. (Twilio: error 30610)",
    ),
    ("sms", "FR"): LegalHours(
        forbidden=(
            Window(start="20:00", end="08:00", days=_WORKDAYS),
            Window(start="00:00", end="00:00", days=("sunday",)),
            Window(start="00:00", end="08:00", days=("monday",)),
        ),
        zones=["Europe/Paris"],
        source=(
            "What French operators enforce for commercial SMS; providers publish 20:00, 20:30 or 22:00 to 08:00, "
            "Sundays and public holidays (Esendex, Brevo). The earliest is used"
        ),
    ),
    ("sms", "IN"): LegalHours(
        forbidden=(Window(start="21:00", end="10:00"),),
        zones=["Asia/Kolkata"],
        source="TRAI, Telecom Commercial Communications Customer Preference Regulations, 2018: 10:00 to 21:00",
    ),
}
"""By channel type, and the country (ISO 3166) of the address."""
