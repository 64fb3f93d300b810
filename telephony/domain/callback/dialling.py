"""Whom a callback never dials: toll fraud that a number alone gives away.

A missed call costs a fraudster nothing, and the call back to a premium, satellite or far-off
number pays them (wangiri). libphonenumber's metadata tell region and type; by calling code alone
Jamaica (+1 876) would pass for the US and Kazakhstan (+7 7) for Russia.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

import phonenumbers
from phonenumbers import PhoneNumberType

from telephony.domain.numbers import is_dialled

# What libphonenumber calls the region of calling codes that belong to no country.
_NOWHERE = phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY


class NumberType(StrEnum):
    """The types of numbers, as libphonenumber has them."""

    FIXED_LINE = "fixed_line"
    MOBILE = "mobile"
    FIXED_LINE_OR_MOBILE = "fixed_line_or_mobile"  # one cannot tell, as in North America
    TOLL_FREE = "toll_free"
    PREMIUM_RATE = "premium_rate"
    SHARED_COST = "shared_cost"
    VOIP = "voip"
    PERSONAL_NUMBER = "personal_number"
    PAGER = "pager"
    UAN = "uan"  # one number of a company with many places
    VOICEMAIL = "voicemail"
    UNKNOWN = "unknown"


_TYPES = {
    PhoneNumberType.FIXED_LINE: NumberType.FIXED_LINE,
    PhoneNumberType.MOBILE: NumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberType.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.TOLL_FREE: NumberType.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE: NumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST: NumberType.SHARED_COST,
    PhoneNumberType.VOIP: NumberType.VOIP,
    PhoneNumberType.PERSONAL_NUMBER: NumberType.PERSONAL_NUMBER,
    PhoneNumberType.PAGER: NumberType.PAGER,
    PhoneNumberType.UAN: NumberType.UAN,
    PhoneNumberType.VOICEMAIL: NumberType.VOICEMAIL,
}
# Never dialled, whatever is allowed: nobody waits for a call there that is worth its price, and
# what has no type has no known price.
NEVER = frozenset({NumberType.PREMIUM_RATE, NumberType.UNKNOWN})


class Refusal(StrEnum):
    """Why a number is never dialled."""

    NOT_A_NUMBER = "not_a_number"  # hidden, internal, short, an emergency number: not E.164
    INVALID = "invalid"  # no such number by the metadata, or not written as it should be
    SATELLITE = "satellite"  # satellite and other international networks, such as +881 and +979
    REGION = "region"
    TYPE = "type"


def refusal(number: str, regions: Collection[str], types: Collection[str]) -> Refusal | None:
    """Return why a number (E.164) must not be dialled, None if it may be.

    `regions` are ISO 3166 codes in capitals of the countries that may be called, `types` are names
    of `NumberType`; without either nothing may. A dependency whose numbers the metadata cannot tell
    from its country's (some mobiles of the Isle of Man) counts as that country. International
    networks (calling codes of no country: +800, +808, +870, +878, +881, +882, +883, +888, +979)
    and the types in `NEVER` are refused even if listed. Emergency and other short numbers are no
    valid E.164, with or without a calling code. A number with a trunk prefix in it (+44 020 …) is
    invalid as well, or it would be counted apart from the same one without.
    """
    if not is_dialled(number, "{e164}"):
        return Refusal.NOT_A_NUMBER
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return Refusal.INVALID
    if phonenumbers.region_code_for_country_code(parsed.country_code or 0) == _NOWHERE:
        return Refusal.SATELLITE
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if written != number or not phonenumbers.is_valid_number(parsed):
        return Refusal.INVALID
    if phonenumbers.region_code_for_number(parsed) not in regions:
        return Refusal.REGION
    kind = _TYPES.get(phonenumbers.number_type(parsed), NumberType.UNKNOWN)
    return Refusal.TYPE if kind in NEVER or kind not in types else None


def prefix_of(number: str) -> str:
    """Return what a cap per prefix counts together: `+79161112233` is one of `+79161`.

    That is the calling code with the first four digits of the national number, fewer if less than
    four would be left: a fraudster leases ranges of some ten thousand numbers, and calls from all
    over them. Of a number (E.164) that no country has it is the first four digits.
    """
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number[:5]
    national = phonenumbers.national_significant_number(parsed)
    return f"+{parsed.country_code}{national[: min(4, max(0, len(national) - 4))]}"
