"""What a file would change, and changing it."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sqlalchemy import Engine

from telephony.configfile.nodes import DAYS
from telephony.domain.duty import Shift
from telephony.domain.setup import Did, Operator, Setup
from telephony.store.engine import reading, writing
from telephony.store.setup import check_removable, load_setup, replace_setup


@dataclass(frozen=True, slots=True)
class Difference:
    """One operator, group or DID that is added, removed or changed.

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
                f"{name} {old or '–'} → {new or '–'}" for name, old, new in self.fields
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
    """Return what turns one set-up into the other: operators first, then groups, then DIDs."""
    found: list[Difference] = []
    for what, old, new in zip(
        ("operator", "group", "did"), _flat(before), _flat(after), strict=True
    ):
        for key in sorted(old.keys() | new.keys()):
            if key not in new:
                found.append(Difference(what, key, "removed"))
                continue
            was = old.get(key, {})
            changed = tuple(
                (name, was.get(name, ""), value)
                for name, value in new[key].items()
                if was.get(name, "") != value
            )
            if key not in old:
                found.append(Difference(what, key, "added", changed))
            elif changed:
                found.append(Difference(what, key, "changed", changed))
    return found


def _flat(setup: Setup) -> tuple[dict[str, dict[str, str]], ...]:
    """Return operators, groups and DIDs, each with its fields as text."""
    people = {key: _texts(each) for key, each in setup.operators.items()}
    groups = {
        name: {
            "zone": group.roster.zone,
            "default": "yes" if name == setup.default_group else "no",
            "shifts": ", ".join(_shift_text(shift) for shift in group.roster.shifts),
        }
        for name, group in setup.groups.items()
    }
    return people, groups, {number: _texts(each) for number, each in setup.dids.items()}


def _texts(thing: Operator | Did) -> dict[str, str]:
    values = {field.name: getattr(thing, field.name) for field in fields(thing)}
    return {name: "" if value is None else str(value) for name, value in values.items()}


def _shift_text(shift: Shift) -> str:
    days = ",".join(DAYS[day - 1] for day in sorted(shift.days))
    text = f"{shift.operator} {days} {shift.start:%H:%M}-{shift.end:%H:%M}"
    if shift.lunch:
        text += f" lunch {shift.lunch[0]:%H:%M}-{shift.lunch[1]:%H:%M}"
    return text
