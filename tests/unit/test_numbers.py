"""Which texts are phone numbers, and in which form they are kept."""

from __future__ import annotations

import pytest

from telephony.domain.numbers import DIALLABLE, ENDPOINT, is_country, mask, normalise


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("+79001112233", "RU", "+79001112233"),
        ("79001112233", "RU", "+79001112233"),
        ("8 (900) 111-22-33", "RU", "+79001112233"),
        ("9001112233", "RU", "+79001112233"),
        ("030 1234567", "DE", "+49301234567"),
        ("202-555-0123", "US", "+12025550123"),
        ("+44 20 7946 0958", "RU", "+442079460958"),
        ("1234567", "RU", None),
        ("8900111", "RU", None),
        ("101", "RU", None),
        ("", "RU", None),
        ("+", "RU", None),
        ("+0123456789", "RU", None),
        ("+7900111223344556", "RU", None),
        ("7900111223a", "RU", None),
        ("7900&PJSIP/1", "RU", None),
        ("７９００１１１２２３３", "RU", None),
        ("anonymous", "RU", None),
    ],
)
def test_normalise(raw: str, country: str, expected: str | None) -> None:
    assert normalise(raw, country) == expected


def test_what_may_be_dialled() -> None:
    assert DIALLABLE.fullmatch("+79001112233")
    for bad in ("12", "1" * 16, "1,2", "1&2", "1\n", "٣٤٥٦"):
        assert not DIALLABLE.fullmatch(bad)
    for bad in ("", "a&b", "a,b", "a b", "a/b", "é"):
        assert not ENDPOINT.fullmatch(bad)


def test_a_number_in_a_log_is_masked() -> None:
    assert mask("+79001112233") == "+7900***2233"
    assert mask("101") == "***"


def test_countries() -> None:
    assert is_country("DE")
    assert not is_country("XX")
