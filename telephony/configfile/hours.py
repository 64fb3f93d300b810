"""Opening hours, in and out of a YAML file.

hours:
  - name: office
    zone: Europe/Moscow
    open:
      - {days: mon-fri, start: "09:00", end: "18:00"}
    country: RU
    region: ""
    days:
      - {day: 2026-12-31, name: New Year's Eve, open: ["09:00-15:00"]}
      - {day: 2026-11-28, name: Working Saturday, like: mon}
      - {day: 2026-07-01, last: 2026-07-14, name: Closed, yearly: true}
"""

from __future__ import annotations

from datetime import time

import yaml

from telephony.configfile.mistakes import Mistake
from telephony.configfile.nodes import DAYS, Entry, Nodes
from telephony.configfile.texts import clock_text, days_text
from telephony.domain.duty.entries import Break
from telephony.domain.hours import Hours, Opening, OwnDay
from telephony.domain.publicdays import is_known

_LONGEST_NAME = 40
_YEAR = 365


class HoursNodes(Nodes):
    """Reads opening hours."""

    def hours(self, node: yaml.Node | None) -> dict[str, Hours]:
        """Return the opening hours by name."""
        found: dict[str, Hours] = {}
        for path, item in self.items(node, "hours"):
            optional = ("open", "country", "region", "days")
            parts = self.mapping(item, path, ("name", "zone"), optional)
            name = self.text(parts.get("name"), f"{path}.name", _LONGEST_NAME)
            if name and name in found:
                self.wrong(item, f"{path}.name", Mistake.TWICE, name)
            openings = [
                self._opening(place, each)
                for place, each in self.items(parts.get("open"), f"{path}.open")
            ]
            days = [
                self._own_day(place, each)
                for place, each in self.items(parts.get("days"), f"{path}.days")
            ]
            country, region = self._country(parts, path)
            found.setdefault(
                name,
                Hours(
                    name,
                    self.zone(parts.get("zone"), f"{path}.zone"),
                    tuple(one for one in openings if one is not None),
                    country,
                    region,
                    tuple(one for one in days if one is not None),
                ),
            )
        return found

    def _country(self, parts: dict[str, yaml.Node], path: str) -> tuple[str, str]:
        country = self.text(parts.get("country"), f"{path}.country", shortest=0).upper()
        region = self.text(parts.get("region"), f"{path}.region", shortest=0)
        if region and not country:
            self.wrong(parts["region"], f"{path}.country", Mistake.MISSING_BESIDE, other="region")
        elif country and not is_known(country):
            self.wrong(parts["country"], f"{path}.country", Mistake.COUNTRY)
        elif region and not is_known(country, region):
            self.wrong(parts["region"], f"{path}.region", Mistake.REGION, country=country)
        return country, region

    def _opening(self, path: str, node: yaml.Node) -> Opening | None:
        parts = self.mapping(node, path, ("days", "start", "end"))
        days = self.days(parts.get("days"), f"{path}.days")
        start, end = (self._clock(parts, path, key) for key in ("start", "end"))
        return Opening(days, start, end) if days and start is not None and end is not None else None

    def _clock(self, parts: dict[str, yaml.Node], path: str, key: str) -> time | None:
        place = f"{path}.{key}"
        value = self.text(parts[key], place) if key in parts else ""
        return self.clock(parts[key], place, value, end=key == "end") if value else None

    def _own_day(self, path: str, node: yaml.Node) -> OwnDay | None:
        parts = self.mapping(node, path, ("day",), ("last", "name", "open", "like", "yearly"))
        day = self.day(parts.get("day"), f"{path}.day")
        last = self.day(parts.get("last"), f"{path}.last") or day
        name = self.text(parts.get("name"), f"{path}.name", shortest=0)
        openings = [
            self.span_of_day(each, place)
            for place, each in self.items(parts.get("open"), f"{path}.open")
        ]
        like = None
        if "like" in parts:
            word = self.text(parts["like"], f"{path}.like").lower()
            if word not in DAYS:
                self.wrong(parts["like"], f"{path}.like", Mistake.ONE_OF, known=", ".join(DAYS))
            else:
                like = DAYS.index(word) + 1
            if openings:
                self.wrong(parts["like"], f"{path}.like", Mistake.LIKE_OR_OPEN)
        yearly = self.yes(parts.get("yearly"), f"{path}.yearly", usual=False)
        if day is None or last is None:
            return None
        if last < day:
            self.wrong(parts["last"], f"{path}.last", Mistake.AFTER, other="day")
            return None
        if yearly and (last - day).days >= _YEAR:
            self.wrong(parts["last"], f"{path}.last", Mistake.WITHIN_A_YEAR)
            return None
        spans = tuple(one for one in openings if one is not None)
        return OwnDay(day, last, name, () if like else spans, like, yearly)


def hours_entry(each: Hours) -> Entry:
    """Return opening hours."""
    entry: Entry = {"name": each.name, "zone": each.zone}
    if each.openings:
        entry["open"] = [
            {
                "days": days_text(one.days),
                "start": clock_text(one.start),
                "end": clock_text(one.end, end=True),
            }
            for one in each.openings
        ]
    entry |= {key: value for key in ("country", "region") if (value := getattr(each, key))}
    if each.days:
        entry["days"] = [_own_day_entry(one) for one in each.days]
    return entry


def _own_day_entry(one: OwnDay) -> Entry:
    entry: Entry = {"day": one.day.isoformat()}
    if one.last != one.day:
        entry["last"] = one.last.isoformat()
    if one.name:
        entry["name"] = one.name
    if one.openings:
        entry["open"] = [_span(each) for each in one.openings]
    if one.like is not None:
        entry["like"] = DAYS[one.like - 1]
    if one.yearly:
        entry["yearly"] = "true"
    return entry


def _span(pair: Break) -> str:
    return f"{clock_text(pair[0])}-{clock_text(pair[1], end=True)}"
