"""Public holidays by country and region, from the tables of the `holidays` package."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

import holidays


@lru_cache(maxsize=1)
def countries() -> Mapping[str, tuple[str, ...]]:
    """Return country (ISO 3166-1 alpha-2) → its regions (the codes of ISO 3166-2)."""
    return {code: tuple(regions) for code, regions in holidays.list_supported_countries().items()}


def is_known(country: str, region: str = "") -> bool:
    """Tell whether the tables have this country, and this region of it if one is named."""
    regions = countries().get(country)
    return regions is not None and (not region or region in regions)


@lru_cache(maxsize=64)
def _language(country: str) -> str | None:
    """Return the country's own language: without one named, the process's locale would choose."""
    named: str | None = holidays.country_holidays(country).default_language
    return named


@lru_cache(maxsize=512)
def public_days(country: str, region: str, year: int) -> Mapping[date, str]:
    """Return the public holidays of a year with their names in the country's language.

    Substitute days off are among them where the tables have them. A country or region that the
    tables do not have has none: a set-up is checked by `is_known` when it is made.
    """
    try:
        found = holidays.country_holidays(
            country, subdiv=region or None, years=year, language=_language(country)
        )
    except NotImplementedError:
        return {}
    return {day: str(name) for day, name in found.items() if day.year == year}
