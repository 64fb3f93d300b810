"""What a file would change, and changing it."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sqlalchemy import Engine

from telephony.configfile.queues import queue_entry
from telephony.configfile.rosters import KEYS
from telephony.configfile.writing import Entry, absence_entry, entry_text, roster_entries
from telephony.domain.setup import Did, Operator, Setup
from telephony.store.engine import reading, writing
from telephony.store.setup import check_removable, load_setup, replace_setup

_Field = str | tuple[str, ...]
_NOTHING: dict[str, list[Entry]] = {kind: [] for kind in KEYS}


@dataclass(frozen=True, slots=True)
class Difference:
    """One operator, group, DID or operator's absences, added, removed or changed.

    `fields` are (name, before, after) of what changed; all of them when it is added.
    """

    what: str
    key: str
    action: str
    fields: tuple[tuple[str, str, str], ...] = ()

    def __str__(self) -> str:
        """As a line: `operator 101 changed: mobile +79001112233 → +79001112244`."""
        if self.action == "changed":
            each = "; ".join(
                f"{name} {old or '–'} → {new or '–'}".strip() for name, old, new in self.fields
            )
            return f"{self.what} {self.key} changed: {each}"
        return f"{self.what} {self.key} {self.action}"


def apply_config(engine: Engine, setup: Setup, *, dry_run: bool = False) -> list[Difference]:
    """Make the database's set-up equal to this one; return the differences there were.

    One transaction; running listeners follow. Raises store.setup.AssignedError when an operator
    would go who still has clients (with `dry_run` too), and sqlalchemy's errors.
    """
    with reading(engine) as session:
        found = differences(load_setup(session), setup)
        if dry_run:
            check_removable(session, setup)
    if dry_run or not found:
        return found
    with writing(engine) as session:
        found = differences(load_setup(session), setup)
        replace_setup(session, setup)
    return found


def differences(before: Setup, after: Setup) -> list[Difference]:
    """Return what turns one set-up into the other: operators, groups, DIDs, absences."""
    found: list[Difference] = []
    for what, old, new in zip(
        ("operator", "group", "did", "absences of"), _flat(before), _flat(after), strict=True
    ):
        for key in sorted(old.keys() | new.keys()):
            if key not in new:
                found.append(Difference(what, key, "removed"))
                continue
            was = old.get(key, {})
            changed = tuple(
                (name, *_changed(was.get(name, ""), value))
                for name, value in new[key].items()
                if was.get(name, value[:0]) != value
            )
            if key not in old:
                found.append(Difference(what, key, "added", changed))
            elif changed:
                found.append(Difference(what, key, "changed", changed))
    return found


def _changed(old: _Field, new: _Field) -> tuple[str, str]:
    """Return a field before and after; of entries those that go, and those that come."""
    if isinstance(new, str):
        return str(old), new
    before = [one for one in old if one not in new]
    after = [one for one in new if one not in old]
    if not before and not after:  # only their order is another
        before, after = list(old), list(new)
    return "; ".join(before), "; ".join(after)


def _flat(setup: Setup) -> tuple[dict[str, dict[str, _Field]], ...]:
    """Return operators, groups, DIDs and absences, each with its fields as text."""
    people = {key: _texts(each) for key, each in setup.operators.items()}
    groups: dict[str, dict[str, _Field]] = {
        name: {
            "zone": group.roster.zone,
            "default": "yes" if name == setup.default_group else "no",
            "queue": entry_text(queue_entry(group.queue)) if group.queue else "",
            **{
                kind: tuple(map(entry_text, entries))
                for kind, entries in (_NOTHING | roster_entries(group.roster)).items()
            },
        }
        for name, group in setup.groups.items()
    }
    dids = {number: _texts(each) for number, each in setup.dids.items()}
    away: dict[str, dict[str, _Field]] = {}
    for each in setup.absences:
        known = away.get(each.operator, {"": ()})[""]
        away[each.operator] = {"": (*known, entry_text(absence_entry(each)))}
    return people, groups, dids, away


def _texts(thing: Operator | Did) -> dict[str, _Field]:
    values = {field.name: getattr(thing, field.name) for field in fields(thing)}
    return {name: "" if value is None else str(value) for name, value in values.items()}
