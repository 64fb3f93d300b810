"""Phone numbers and extensions: what is accepted, and in which form it is kept."""

from __future__ import annotations

import re

import phonenumbers

DIALLABLE = re.compile(r"\+?[0-9]{3,15}", re.ASCII)
EXTENSION = re.compile(r"[0-9]{2,10}", re.ASCII)
ENDPOINT = re.compile(r"[A-Za-z0-9_.-]{1,40}", re.ASCII)
_E164 = re.compile(r"\+[1-9][0-9]{7,14}", re.ASCII)
_DECORATION = re.compile(r"[\s().\-‐-―/]+")


def normalise(raw: str, country: str) -> str | None:
    """Return a number in E.164 (`+79001112233`), or None when it cannot be a public number.

    `country` (ISO 3166 alpha-2) decides how a number without `+` is read: `8 900 111-22-33` in RU,
    `030 1234567` in DE. Validity is length and prefix as libphonenumber's metadata has them for
    numbers read nationally; a number already written with `+` is taken as it stands.
    """
    compact = _DECORATION.sub("", raw)
    if not DIALLABLE.fullmatch(compact):
        return None
    if compact[0] == "+":
        return compact if _E164.fullmatch(compact) else None
    try:
        parsed = phonenumbers.parse(compact, country)
    except phonenumbers.NumberParseException:
        return None
    # A length that only a neighbour could dial is no public number.
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def is_e164(text: str) -> bool:
    """Tell whether a text is a number in E.164: `+79001112233`."""
    return _E164.fullmatch(text) is not None


def is_country(code: str) -> bool:
    """Tell whether `code` is a country libphonenumber knows."""
    return code in phonenumbers.SUPPORTED_REGIONS


def digits(number: str) -> str:
    """Return a number without its plus, as trunks dial it."""
    return number.removeprefix("+")


def mask(number: str) -> str:
    """Return a number fit for a log line: `+7900***2233`."""
    return f"{number[:-7]}***{number[-4:]}" if len(number) > 8 else "***"


_TEMPLATE = re.compile(r"\+?[0-9]{0,8}\{(digits|e164|national)\}", re.ASCII)


def is_template(text: str) -> bool:
    """Tell whether `text` says how a trunk wants numbers: `8{national}`, `{digits}`, `{e164}`."""
    return _TEMPLATE.fullmatch(text) is not None


def is_dialled(number: str, template: str) -> bool:
    """Tell whether a trunk's template can write this E.164 number."""
    try:
        dialled(number, template)
    except ValueError:
        return False
    return True


def dialled(number: str, template: str) -> str:
    """Return an E.164 number as a trunk's template wants it; nothing but digits and a plus.

    Raises ValueError for what is no template or no number.
    """
    if not is_template(template) or not _E164.fullmatch(number):
        raise ValueError("a template and an E.164 number are needed")
    national = ""
    if "{national}" in template:
        try:
            national = phonenumbers.national_significant_number(phonenumbers.parse(number))
        except phonenumbers.NumberParseException as error:
            raise ValueError("no country has this number") from error
    return template.format(digits=digits(number), e164=number, national=national)
