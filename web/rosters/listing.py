"""The entries of rosters in words, kind by kind."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import format_date

from telephony.configfile import Data, Entry
from web.edits import days_words, kind_words
from web.texts import gettext, lazy_gettext, ngettext

# The words of a kind: its heading, the button that adds one, the title of a new one, of an old one.
TITLES: Mapping[str, tuple[Any, Any, Any]] = {
    "shifts": (
        lazy_gettext("Weekly shifts"),
        lazy_gettext("New weekly shift"),
        lazy_gettext("Weekly shift"),
    ),
    "rotations": (
        lazy_gettext("Rotations"),
        lazy_gettext("New rotation"),
        lazy_gettext("Rotation"),
    ),
    "one_offs": (
        lazy_gettext("One-off shifts"),
        lazy_gettext("New one-off shift"),
        lazy_gettext("One-off shift"),
    ),
    "overrides": (
        lazy_gettext("Overrides"),
        lazy_gettext("New override"),
        lazy_gettext("Override"),
    ),
    "swaps": (lazy_gettext("Swaps"), lazy_gettext("New swap"), lazy_gettext("Swap")),
    "absences": (
        lazy_gettext("Absences"),
        lazy_gettext("New absence"),
        lazy_gettext("Absence"),
    ),
}


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry in a list: its place among those of its kind, its words, whether it is over.

    `was` is the entry as JSON: it is found again by that.
    """

    place: int
    title: str
    about: str
    past: bool
    was: str


def listed(
    kind: str, entries: list[Entry], names: Mapping[str, str], local_now: datetime
) -> list[Listed]:
    """Return the entries of a kind in words; `local_now` is naive, by the group's clocks."""
    return [
        Listed(place, *_words(kind, entry, names), _over(entry, local_now), as_json(entry))
        for place, entry in enumerate(entries)
    ]


def added_words(added: Iterable[tuple[str, Entry]], names: Mapping[str, str]) -> list[str]:
    """Return entries of several kinds in words: `Override: Boris, 25 Nov 2026 09:00–18:00`."""
    return [
        "{}: {}".format(TITLES[kind][2], ", ".join(_words(kind, entry, names)))
        for kind, entry in added
    ]


def as_json(entry: Entry) -> str:
    """Return an entry as forms keep it, to find it again."""
    return json.dumps(entry, sort_keys=True, ensure_ascii=False)


def entries_of(data: Data, group: str | None, kind: str) -> list[Entry]:
    """Return the list of a kind's entries in a set-up's data, made if it is not there.

    Of a group, or of the absences when `group` is None. LookupError when there is no such group.
    """
    if group is None:
        absences: list[Entry] = data.setdefault("absences", [])
        return absences
    for each in data["groups"]:
        if each["name"] == group:
            found: list[Entry] = each.setdefault(kind, [])
            return found
    raise LookupError(group)


def _words(kind: str, entry: Entry, names: Mapping[str, str]) -> tuple[str, str]:
    if kind == "rotations":
        turns = [
            _people(turn if isinstance(turn, list) else [turn], names) for turn in entry["turns"]
        ]
        return " → ".join(turns), _rotation(entry, names)
    if kind == "overrides":
        instead = entry["instead_of"]
        whose = {
            "everybody": gettext("in place of everybody"),
            "nobody": gettext("in addition"),
        }.get(
            instead if isinstance(instead, str) else "",
            gettext("in place of %(who)s", who=_people(_listed(instead), names)),
        )
        who = _people(entry["operators"], names) or gettext("nobody")
        return who, f"{_span(entry['start'], entry['end'])}, {whose}"
    if kind == "swaps":
        return " ⇄ ".join(names.get(who, who) for who in entry["between"]), _span(
            entry["start"], entry["end"]
        )
    who = names.get(entry["operator"], entry["operator"])
    if kind == "shifts":
        times = f"{days_words(entry['days'])} {entry['start']}–{entry['end']}"
        return who, ", ".join([times, *_more(entry, names)])
    if kind == "absences":
        cover = entry.get("cover")
        parts = [_span(entry["from"], entry["to"]), kind_words(entry["kind"])]
        if cover:
            parts.append(gettext("covered by %(who)s", who=names.get(cover, cover)))
        return who, ", ".join(parts)
    return who, ", ".join([_span(entry["start"], entry["end"]), *_more(entry, names)])


def _rotation(entry: Entry, names: Mapping[str, str]) -> str:
    length = int(entry.get("length", 7))
    parts = [
        ngettext("%(num)d day each", "%(num)d days each", length),
        gettext("from %(day)s on", day=_day(entry["first"])),
        gettext("hand-over at %(time)s", time=entry.get("handover", "00:00")),
    ]
    if "start" in entry:
        parts.append(f"{days_words(entry.get('days', 'daily'))} {entry['start']}–{entry['end']}")
    elif "days" in entry:
        parts.append(days_words(entry["days"]))
    return ", ".join([*parts, *_more(entry, names)])


def _more(entry: Entry, names: Mapping[str, str]) -> list[str]:
    """Return what an entry says besides: lunch, cover, first and last day, layer."""
    found = []
    if "lunch" in entry:
        found.append(gettext("lunch %(times)s", times=entry["lunch"].replace("-", "–")))
    if "cover" in entry:
        who = names.get(entry["cover"], entry["cover"])
        found.append(gettext("%(who)s covers it", who=who))
    if "since" in entry:
        found.append(gettext("from %(day)s on", day=_day(entry["since"])))
    if "until" in entry:
        last = date.fromisoformat(entry["until"]) - timedelta(days=1)
        found.append(gettext("last on %(day)s", day=format_date(last, "medium")))
    if "layer" in entry:
        found.append(gettext("layer %(number)s", number=entry["layer"]))
    return found


def _people(extensions: list[str], names: Mapping[str, str]) -> str:
    return " + ".join(names.get(who, who) for who in extensions)


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _day(text: str) -> str:
    return str(format_date(date.fromisoformat(text), "medium"))


def _span(start: str, end: str) -> str:
    """Return a span of the file (`2026-12-24 18:00`, or days) in the reader's way."""
    first, begin = _parts(start)
    last, stop = _parts(end)
    if begin in ("", "00:00") and not stop:
        return _day(first) if first == last else f"{_day(first)} – {_day(last)}"
    begin, stop = begin or "00:00", stop or "24:00"
    if first == last:
        return f"{_day(first)} {begin}–{stop}"
    return f"{_day(first)} {begin} – {_day(last)} {stop}"


def _parts(text: str) -> tuple[str, str]:
    day, _, clock = text.partition(" ")
    return day, clock


def _over(entry: Entry, local_now: datetime) -> bool:
    """Tell whether an entry has no more to say."""
    end = entry.get("end", "") if "start" in entry and " " in entry.get("end", "") else None
    end = entry.get("to", end)
    if end is not None:
        day, clock = _parts(end)
        moment = datetime.combine(date.fromisoformat(day), time())
        if not clock:
            moment += timedelta(days=1)
        else:
            moment = datetime.fromisoformat(f"{day} {clock}")
        return moment <= local_now
    return "until" in entry and date.fromisoformat(entry["until"]) <= local_now.date()
