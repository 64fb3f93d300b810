"""A set-up as a YAML file: what `reading` reads makes the same set-up again."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import yaml

from telephony.configfile.callbacks import callbacks_entry
from telephony.configfile.dids import did_entry
from telephony.configfile.hours import hours_entry
from telephony.configfile.nodes import Data, Entry
from telephony.configfile.pbx import mailbox_entry, trunk_entry
from telephony.configfile.queues import queue_entry
from telephony.configfile.rosters import EVERYBODY, NOBODY
from telephony.configfile.texts import EVERY_DAY, clock_text, days_text
from telephony.domain.duty import Absence, OneOff, Override, Roster, Rotation, Shift, Swap
from telephony.domain.setup import Group, Operator, Setup


def write_config(setup: Setup) -> str:
    """Return the file. Fields that have their usual value are left out."""
    data = as_data(setup)
    for section in ("absences", "hours", "trunks", "mailboxes", "callbacks"):
        if not data[section]:
            del data[section]
    return yaml.safe_dump(
        data, default_flow_style=None, sort_keys=False, allow_unicode=True, width=100
    )


def as_data(setup: Setup) -> Data:
    """Return the file as plain data, every section there: lists of mappings, one of `callbacks`.

    Scalars are texts. Fields that have their usual value are left out, so are kinds of a roster's
    entries of which there are none. The data are the caller's own.
    """
    return {
        "operators": [_operator(each) for each in setup.operators.values()],
        "groups": [_group(each, setup.default_group) for each in setup.groups.values()],
        "dids": [did_entry(each) for each in setup.dids.values()],
        "absences": [absence_entry(each) for each in setup.absences],
        "hours": [hours_entry(each) for each in setup.hours.values()],
        "trunks": [trunk_entry(each) for each in setup.trunks.values()],
        "mailboxes": [mailbox_entry(each) for each in setup.mailboxes.values()],
        "callbacks": callbacks_entry(setup.callbacks),
    }


def roster_entries(roster: Roster) -> dict[str, list[Entry]]:
    """Return the entries of a roster by their kind; kinds without any are left out."""
    found = {
        "shifts": [_shift(each) for each in roster.shifts],
        "rotations": [_rotation(each) for each in roster.rotations],
        "one_offs": [_one_off(each) for each in roster.one_offs],
        "overrides": [_override(each) for each in roster.overrides],
        "swaps": [_swap(each) for each in roster.swaps],
    }
    return {kind: entries for kind, entries in found.items() if entries}


def absence_entry(each: Absence) -> Entry:
    """Return an absence."""
    return _without_nothing(
        {
            "operator": each.operator,
            "from": _moment(each.start),
            "to": _end(each.end),
            "zone": each.zone,
            "kind": each.kind.value,
            "cover": each.cover,
        }
    )


def entry_text(entry: Entry) -> str:
    """Return an entry in one line, for people: `operator 101, days mon-fri, start 09:00`."""
    return ", ".join(f"{key} {_words(value)}" for key, value in entry.items())


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return f"({entry_text(value)})"
    if not isinstance(value, list):
        return str(value)
    return "[" + " ".join(_words(each) for each in value) + "]"


def _operator(each: Operator) -> Entry:
    return _without_nothing(
        {
            "extension": each.extension,
            "name": each.name,
            "endpoint": each.endpoint if each.endpoint != each.extension else None,
            "mobile": each.mobile,
            "deputy": each.deputy,
            "trunk": each.trunk,
        }
    )


def _group(each: Group, default: str | None) -> Entry:
    head = {
        "name": each.name,
        "zone": each.roster.zone,
        "default": "true" if each.name == default else None,
        "hours": each.hours,
    }
    queue = {"queue": queue_entry(each.queue)} if each.queue else {}
    return _without_nothing(head) | queue | roster_entries(each.roster)


def _shift(each: Shift) -> Entry:
    return _without_nothing(
        {
            "operator": each.operator,
            "days": days_text(each.days),
            "start": clock_text(each.start),
            "end": clock_text(each.end, end=True),
            "lunch": _lunch(each.lunch),
            "cover": each.cover,
            "since": each.since.isoformat() if each.since else None,
            "until": each.until.isoformat() if each.until else None,
            "layer": str(each.layer) if each.layer else None,
        }
    )


def _rotation(each: Rotation) -> Entry:
    around = each.start == each.end == each.handover
    return _without_nothing(
        {
            "turns": [turn[0] if len(turn) == 1 else list(turn) for turn in each.turns],
            "first": each.first.isoformat(),
            "length": str(each.length),
            "handover": clock_text(each.handover),
            "start": None if around else clock_text(each.start),
            "end": None if around else clock_text(each.end, end=True),
            "days": None if each.days == EVERY_DAY else days_text(each.days),
            "lunch": _lunch(each.lunch),
            "cover": each.cover,
            "until": each.until.isoformat() if each.until else None,
            "layer": str(each.layer) if each.layer else None,
        }
    )


def _one_off(each: OneOff) -> Entry:
    layer = str(each.layer) if each.layer else None
    return _without_nothing({"operator": each.operator, **_span(each), "layer": layer})


def _override(each: Override) -> Entry:
    instead: str | list[str] = EVERYBODY
    if each.instead_of is not None:
        instead = sorted(each.instead_of) or NOBODY
    return {"operators": list(each.operators), **_span(each), "instead_of": instead}


def _swap(each: Swap) -> Entry:
    return {"between": [each.one, each.other], **_span(each)}


def _span(entry: OneOff | Override | Swap) -> Entry:
    return {"start": _moment(entry.start), "end": _moment(entry.end)}


def _without_nothing(entry: Entry) -> Entry:
    return {key: value for key, value in entry.items() if value is not None}


def _lunch(lunch: tuple[time, time] | None) -> str | None:
    return f"{clock_text(lunch[0])}-{clock_text(lunch[1], end=True)}" if lunch else None


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _end(at: datetime) -> str:
    """Return the last day when it ends with a day, else the moment."""
    if at.time() == time(0):
        return f"{at.date() - timedelta(days=1)}"
    return _moment(at)
