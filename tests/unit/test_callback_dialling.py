"""Whom a callback never dials: a table of numbers, by region, type and form."""

from __future__ import annotations

import phonenumbers
import pytest
from phonenumbers import PhoneMetadata

from telephony.domain.callback.dialling import NEVER, NumberType, Refusal, prefix_of, refusal
from telephony.domain.callback.rules import CallbackRules

USUAL = CallbackRules().types
EVERY_TYPE = tuple(NumberType)
REFUSED = [
    # Hidden, internal, short and emergency numbers, and what is no number at all.
    ("", Refusal.NOT_A_NUMBER),
    ("anonymous", Refusal.NOT_A_NUMBER),
    ("101", Refusal.NOT_A_NUMBER),
    ("112", Refusal.NOT_A_NUMBER),
    ("911", Refusal.NOT_A_NUMBER),
    ("+112", Refusal.NOT_A_NUMBER),
    ("+7112", Refusal.NOT_A_NUMBER),
    ("+1911", Refusal.NOT_A_NUMBER),
    ("+44999", Refusal.NOT_A_NUMBER),
    ("79161234567", Refusal.NOT_A_NUMBER),
    ("+7 916 123-45-67", Refusal.NOT_A_NUMBER),
    ("+79161234567\n", Refusal.NOT_A_NUMBER),
    ("+７９１６１２３４５６７", Refusal.NOT_A_NUMBER),
    ("+79161234567&PJSIP/101", Refusal.NOT_A_NUMBER),
    ("+7916123456789012", Refusal.NOT_A_NUMBER),
    # No such number: too long, too short, no such area, no such country, a trunk prefix inside.
    ("+7916123456", Refusal.INVALID),
    ("+791612345678", Refusal.INVALID),
    ("+72001234567", Refusal.INVALID),
    ("+12121234567", Refusal.INVALID),
    ("+19115551234", Refusal.INVALID),
    ("+1212555123", Refusal.INVALID),
    ("+44118500", Refusal.INVALID),
    ("+99912345678", Refusal.INVALID),
    ("+4402079460958", Refusal.INVALID),
    ("+789161234567", Refusal.INVALID),
    # Satellites and other networks of no country.
    ("+870301234567", Refusal.SATELLITE),
    ("+881612345678", Refusal.SATELLITE),
    ("+8823421234", Refusal.SATELLITE),
    ("+883510012345", Refusal.SATELLITE),
    ("+88812345678901", Refusal.SATELLITE),
    ("+979123456789", Refusal.SATELLITE),
    ("+80012345678", Refusal.SATELLITE),
    ("+80812345678", Refusal.SATELLITE),
    ("+878101234567890", Refusal.SATELLITE),
    ("+88100000000", Refusal.SATELLITE),  # none by the metadata, either
    # Countries that share a calling code with one that is allowed (here RU, US, GB, DE).
    ("+77011234567", Refusal.REGION),  # Kazakhstan
    ("+77172123456", Refusal.REGION),
    ("+18765551234", Refusal.REGION),  # Jamaica
    ("+12684641234", Refusal.REGION),  # Antigua
    ("+18092345678", Refusal.REGION),  # the Dominican Republic
    ("+16492311234", Refusal.REGION),  # Turks and Caicos
    ("+14734031234", Refusal.REGION),  # Grenada
    ("+17872345678", Refusal.REGION),  # Puerto Rico
    ("+14165550123", Refusal.REGION),  # Canada
    ("+447781123456", Refusal.REGION),  # Guernsey
    ("+447624123456", Refusal.REGION),  # the Isle of Man
    # Where wangiri calls come from.
    ("+37126123456", Refusal.REGION),
    ("+2347012345678", Refusal.REGION),
    ("+5351234567", Refusal.REGION),
    ("+2522123456", Refusal.REGION),
    ("+67570123456", Refusal.REGION),
    # What costs more, or is no phone that somebody answers.
    ("+78091234567", Refusal.TYPE),  # premium
    ("+19002341234", Refusal.TYPE),
    ("+449012345678", Refusal.TYPE),
    ("+499001234567", Refusal.TYPE),
    ("+491801234567", Refusal.TYPE),  # 0180, shared cost
    ("+448431234567", Refusal.TYPE),
    ("+447012345678", Refusal.TYPE),  # personal numbers
    ("+78081234567", Refusal.TYPE),
    ("+447640123456", Refusal.TYPE),  # a pager
    ("+4916412345", Refusal.TYPE),
    ("+445612345678", Refusal.TYPE),  # VoIP
    ("+445512345678", Refusal.TYPE),  # one number for a company
    ("+49177991234567", Refusal.TYPE),  # voicemail
    ("+78001234567", Refusal.TYPE),  # toll-free
    ("+18002345678", Refusal.TYPE),
]


@pytest.mark.parametrize(("number", "why"), REFUSED)
def test_refused(number: str, why: Refusal) -> None:
    assert refusal(number, ("RU", "US", "GB", "DE"), USUAL) is why


@pytest.mark.parametrize(
    ("number", "region"),
    [
        ("+79161234567", "RU"),
        ("+74951234567", "RU"),
        ("+12125550123", "US"),
        ("+13105551234", "US"),
        ("+14165550123", "CA"),
        ("+18765551234", "JM"),
        ("+77011234567", "KZ"),
        ("+442079460958", "GB"),
        ("+447400123456", "GB"),
        ("+4930123456", "DE"),
        ("+4915123456789", "DE"),
        ("+390612345678", "IT"),
        ("+2904123456", None),
        ("+29022158", "SH"),
        ("+5491123456789", "AR"),
    ],
)
def test_a_number_is_called_in_its_own_region_only(number: str, region: str | None) -> None:
    others = set(phonenumbers.SUPPORTED_REGIONS) - {region}
    assert refusal(number, others, USUAL) is (Refusal.REGION if region else Refusal.INVALID)
    if region:
        assert refusal(number, {region}, USUAL) is None


def test_nothing_is_called_without_regions_or_without_types() -> None:
    assert refusal("+79161234567", (), USUAL) is Refusal.REGION
    assert refusal("+79161234567", ("RU",), ()) is Refusal.TYPE


@pytest.mark.parametrize(
    ("number", "region", "kind"),
    [
        ("+74951234567", "RU", "fixed_line"),
        ("+79161234567", "RU", "mobile"),
        ("+12125550123", "US", "fixed_line_or_mobile"),
        ("+78001234567", "RU", "toll_free"),
        ("+491801234567", "DE", "shared_cost"),
        ("+445612345678", "GB", "voip"),
        ("+447012345678", "GB", "personal_number"),
        ("+447640123456", "GB", "pager"),
        ("+445512345678", "GB", "uan"),
        ("+49177991234567", "DE", "voicemail"),
    ],
)
def test_a_type_that_is_listed_is_called_and_no_other(number: str, region: str, kind: str) -> None:
    assert refusal(number, (region,), (kind,)) is None
    others = [one.value for one in NumberType if one != kind]
    assert refusal(number, (region,), others) is Refusal.TYPE


@pytest.mark.parametrize(
    "number", ["+78091234567", "+19002341234", "+449012345678", "+499001234567"]
)
def test_premium_rate_is_refused_even_if_listed(number: str) -> None:
    assert refusal(number, phonenumbers.SUPPORTED_REGIONS, EVERY_TYPE) is Refusal.TYPE
    assert {NumberType.PREMIUM_RATE, NumberType.UNKNOWN} == NEVER


def test_networks_of_no_country_are_refused_even_if_their_region_is_listed() -> None:
    regions = {*phonenumbers.SUPPORTED_REGIONS, "001"}
    found = {}
    for code in phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS:
        example = phonenumbers.example_number_for_non_geo_entity(code)
        assert example is not None
        number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        found[code] = refusal(number, regions, EVERY_TYPE)
    assert {870, 881, 882, 883, 979} <= found.keys()
    assert set(found.values()) == {Refusal.SATELLITE}


def test_no_short_or_emergency_number_of_any_country_is_called() -> None:
    tried = 0
    for region in phonenumbers.SUPPORTED_SHORT_REGIONS:
        short = PhoneMetadata.short_metadata_for_region(region)
        assert short is not None
        for kind in ("emergency", "short_code", "premium_rate", "standard_rate", "toll_free"):
            example = getattr(getattr(short, kind), "example_number", None)
            if example is None:
                continue
            code = phonenumbers.country_code_for_region(region)
            for number in (example, f"+{example}", f"+{code}{example}"):
                tried += 1
                assert refusal(number, {region}, EVERY_TYPE) is not None, number
    assert tried > 1000


def test_an_ordinary_number_of_every_country_is_called_when_it_is_allowed() -> None:
    refused, called = {}, set()
    for region in phonenumbers.SUPPORTED_REGIONS:
        example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if example is None:
            continue
        number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        why = refusal(number, {region}, USUAL)
        if why is None:
            called.add(region)
        else:
            refused[region] = phonenumbers.region_code_for_number(example)
    # Mobile numbers that the metadata cannot tell from those of the country beside; Tokelau's
    # seven digits are too short for what is kept as a number at all.
    assert refused == {
        "AX": "FI",
        "BL": "GP",
        "CC": "AU",
        "CX": "AU",
        "EH": "MA",
        "IM": "GB",
        "MF": "GP",
        "SJ": "NO",
        "TK": "TK",
        "VA": "IT",
    }
    assert len(called) > 200


@pytest.mark.parametrize(
    ("number", "prefix"),
    [
        ("+79161234567", "+79161"),
        ("+79161999999", "+79161"),
        ("+79162234567", "+79162"),
        ("+12125550123", "+12125"),
        ("+18765551234", "+18765"),
        ("+37126123456", "+3712612"),
        ("+390612345678", "+390612"),
        ("+3726123456", "+372612"),  # seven digits: four are left
        ("+29022158", "+2902"),  # five
        ("+6834002", "+683"),
        ("+99912345678", "+9991"),  # no country's
        ("+881612345678", "+8816123"),
    ],
)
def test_prefix(number: str, prefix: str) -> None:
    assert prefix_of(number) == prefix
    assert number.startswith(prefix)
