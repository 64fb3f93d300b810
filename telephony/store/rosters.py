"""The rosters of the groups, entry by entry in the admin's order, and who is away.

Times are the wall clock's ("09:00", "2026-11-25T09:00"), days ISO weekdays ("1,2,3"), dates
"2026-11-25"; `position` is an entry's place among those of its kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Integer, Row, Table, Text, delete, insert, select
from sqlalchemy.orm import Session

from telephony.domain.duty import (
    Absence,
    AbsenceKind,
    OneOff,
    Override,
    Roster,
    Rotation,
    Shift,
    Swap,
)
from telephony.store.tables import Json, metadata


def _id() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def _group() -> Column[str]:
    return Column("group_name", ForeignKey("operator_group.name"), nullable=False)


def _operator(name: str = "operator", *, nullable: bool = False) -> Column[str]:
    return Column(name, ForeignKey("operator.extension"), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _number(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def _layer() -> Column[int]:
    return Column("layer", Integer, nullable=False, server_default="0")


shift = Table(
    "shift",
    metadata,
    _id(),
    _group(),
    _operator(),
    _text("days"),
    _text("start_time"),
    _text("end_time"),
    _text("lunch_start", nullable=True),
    _text("lunch_end", nullable=True),
    _number("position"),
    Column("cover", Text),
    Column("since", Text),
    Column("until", Text),
    _layer(),
    Index(None, "group_name", "position"),
)

# `turns` is an array of arrays of extensions.
rotation = Table(
    "rotation",
    metadata,
    _id(),
    _group(),
    Column("turns", Json, nullable=False),
    _text("first"),
    _number("length"),
    _text("handover"),
    _text("start_time"),
    _text("end_time"),
    _text("days"),
    _text("lunch_start", nullable=True),
    _text("lunch_end", nullable=True),
    _operator("cover", nullable=True),
    _text("until", nullable=True),
    _layer(),
    _number("position"),
    Index(None, "group_name", "position"),
)

one_off = Table(
    "one_off",
    metadata,
    _id(),
    _group(),
    _operator(),
    _text("start_at"),
    _text("end_at"),
    _layer(),
    _number("position"),
    Index(None, "group_name", "position"),
)

# `operators` is an array of extensions, `instead_of` one, or null for everybody.
roster_override = Table(
    "roster_override",
    metadata,
    _id(),
    _group(),
    Column("operators", Json, nullable=False),
    _text("start_at"),
    _text("end_at"),
    Column("instead_of", Json),
    _number("position"),
    Index(None, "group_name", "position"),
)

swap = Table(
    "swap",
    metadata,
    _id(),
    _group(),
    _operator("one"),
    _operator("other"),
    _text("start_at"),
    _text("end_at"),
    _number("position"),
    Index(None, "group_name", "position"),
)

# `kind` is a domain.duty.AbsenceKind.
absence = Table(
    "absence",
    metadata,
    _id(),
    _operator(),
    _text("start_at"),
    _text("end_at"),
    _text("zone"),
    _text("kind"),
    _operator("cover", nullable=True),
    _number("position"),
    Index(None, "operator"),
)

TABLES = (shift, rotation, one_off, roster_override, swap, absence)


def load_absences(session: Session) -> tuple[Absence, ...]:
    """Return who is away when, in the admin's order."""
    rows = session.execute(select(absence).order_by(absence.c.position))
    return tuple(
        Absence(
            row.operator,
            datetime.fromisoformat(row.start_at),
            datetime.fromisoformat(row.end_at),
            row.zone,
            AbsenceKind(row.kind),
            row.cover,
        )
        for row in rows
    )


def load_rosters(
    session: Session, zones: Mapping[str, str], absences: tuple[Absence, ...]
) -> dict[str, Roster]:
    """Return group → roster; `zones` maps the groups there are to their zones."""
    shifts, rotations, one_offs, overrides, swaps = (
        _by_group(session, table) for table in (shift, rotation, one_off, roster_override, swap)
    )
    return {
        name: Roster(
            zone,
            tuple(_shift(row) for row in shifts.get(name, ())),
            tuple(_rotation(row) for row in rotations.get(name, ())),
            tuple(OneOff(row.operator, *_span(row), row.layer) for row in one_offs.get(name, ())),
            tuple(_override(row) for row in overrides.get(name, ())),
            tuple(Swap(row.one, row.other, *_span(row)) for row in swaps.get(name, ())),
            absences,
        )
        for name, zone in zones.items()
    }


def delete_rosters(session: Session) -> None:
    """Delete every entry of every roster, and the absences."""
    for table in TABLES:
        session.execute(delete(table))


def save_rosters(
    session: Session, rosters: Mapping[str, Roster], absences: Iterable[Absence]
) -> None:
    """Insert the entries of rosters, and absences; the groups and operators are there."""
    _insert(session, shift, rosters, lambda roster: map(_shift_values, roster.shifts))
    _insert(session, rotation, rosters, lambda roster: map(_rotation_values, roster.rotations))
    _insert(
        session,
        one_off,
        rosters,
        lambda roster: (
            {"operator": one.operator, "layer": one.layer, **_at(one)} for one in roster.one_offs
        ),
    )
    _insert(
        session, roster_override, rosters, lambda roster: map(_override_values, roster.overrides)
    )
    _insert(
        session,
        swap,
        rosters,
        lambda roster: ({"one": one.one, "other": one.other, **_at(one)} for one in roster.swaps),
    )
    rows = [
        {
            "operator": one.operator,
            "zone": one.zone,
            "kind": one.kind.value,
            "cover": one.cover,
            "position": position,
            **_at(one),
        }
        for position, one in enumerate(absences)
    ]
    if rows:
        session.execute(insert(absence), rows)


def _insert(session: Session, table: Table, rosters: Mapping[str, Roster], values: Any) -> None:
    rows = [
        {"group_name": name, "position": position, **row}
        for name, roster in rosters.items()
        for position, row in enumerate(values(roster))
    ]
    if rows:
        session.execute(insert(table), rows)


def _by_group(session: Session, table: Table) -> dict[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = {}
    for row in session.execute(select(table).order_by(table.c.group_name, table.c.position)):
        found.setdefault(row.group_name, []).append(row)
    return found


def _span(row: Row[Any]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(row.start_at), datetime.fromisoformat(row.end_at)


def _at(entry: OneOff | Override | Swap | Absence) -> dict[str, str]:
    return {
        "start_at": entry.start.isoformat(timespec="minutes"),
        "end_at": entry.end.isoformat(timespec="minutes"),
    }


def _days(text: str) -> frozenset[int]:
    return frozenset(int(day) for day in text.split(","))


def _lunch(row: Row[Any]) -> tuple[time, time] | None:
    if row.lunch_start is None:
        return None
    return time.fromisoformat(row.lunch_start), time.fromisoformat(row.lunch_end)


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _shift(row: Row[Any]) -> Shift:
    return Shift(
        row.operator,
        _days(row.days),
        time.fromisoformat(row.start_time),
        time.fromisoformat(row.end_time),
        _lunch(row),
        row.cover,
        _date(row.since),
        _date(row.until),
        row.layer,
    )


def _rotation(row: Row[Any]) -> Rotation:
    return Rotation(
        tuple(tuple(turn) for turn in row.turns),
        date.fromisoformat(row.first),
        row.length,
        time.fromisoformat(row.handover),
        time.fromisoformat(row.start_time),
        time.fromisoformat(row.end_time),
        _days(row.days),
        _lunch(row),
        row.cover,
        _date(row.until),
        row.layer,
    )


def _override(row: Row[Any]) -> Override:
    instead_of = None if row.instead_of is None else frozenset(row.instead_of)
    return Override(tuple(row.operators), *_span(row), instead_of)


def _worked(entry: Shift | Rotation) -> dict[str, Any]:
    lunch = entry.lunch
    return {
        "days": ",".join(str(day) for day in sorted(entry.days)),
        "start_time": f"{entry.start:%H:%M}",
        "end_time": f"{entry.end:%H:%M}",
        "lunch_start": f"{lunch[0]:%H:%M}" if lunch else None,
        "lunch_end": f"{lunch[1]:%H:%M}" if lunch else None,
        "cover": entry.cover,
        "until": entry.until.isoformat() if entry.until else None,
        "layer": entry.layer,
    }


def _shift_values(each: Shift) -> dict[str, Any]:
    since = each.since.isoformat() if each.since else None
    return {"operator": each.operator, "since": since, **_worked(each)}


def _rotation_values(each: Rotation) -> dict[str, Any]:
    return {
        "turns": [list(turn) for turn in each.turns],
        "first": each.first.isoformat(),
        "length": each.length,
        "handover": f"{each.handover:%H:%M}",
        **_worked(each),
    }


def _override_values(each: Override) -> dict[str, Any]:
    instead_of = None if each.instead_of is None else sorted(each.instead_of)
    return {"operators": list(each.operators), "instead_of": instead_of, **_at(each)}
