"""Opening hours, trunks, mailboxes, the rules of a DID: what is read as a whole is JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, time
from typing import Any

from sqlalchemy import Column, Table, Text, delete, insert, select
from sqlalchemy.orm import Session

from telephony.domain.did import Action, ActionKind, Did, Menu, StepName, StepRule, Strategy
from telephony.domain.duty.entries import Break
from telephony.domain.hours import Hours, Opening, OwnDay
from telephony.domain.setup import Mailbox, Trunk
from telephony.store.tables import Json, metadata

# openings [{"days": [1…7], "start": "09:00", "end": "18:00"}]
# days [{"day", "last", "name", "openings": [["09:00", "15:00"]], "like", "yearly"}]
hours = Table(
    "hours",
    metadata,
    Column("name", Text, primary_key=True),
    Column("zone", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("openings", Json, nullable=False),
    Column("days", Json, nullable=False),
)

trunk = Table(
    "trunk",
    metadata,
    Column("endpoint", Text, primary_key=True),
    Column("template", Text, nullable=False),
)

mailbox = Table(
    "mailbox",
    metadata,
    Column("number", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("pin", Text, nullable=False),
)


def load_hours(session: Session) -> dict[str, Hours]:
    """Return the opening hours by name."""
    return {
        row.name: Hours(
            row.name,
            row.zone,
            tuple(
                Opening(frozenset(one["days"]), *_break((one["start"], one["end"])))
                for one in row.openings
            ),
            row.country,
            row.region,
            tuple(_own_day(one) for one in row.days),
        )
        for row in session.execute(select(hours).order_by(hours.c.name))
    }


def load_trunks(session: Session) -> dict[str, Trunk]:
    """Return the trunks by endpoint."""
    rows = session.execute(select(trunk).order_by(trunk.c.endpoint))
    return {row.endpoint: Trunk(row.endpoint, row.template) for row in rows}


def load_mailboxes(session: Session) -> dict[str, Mailbox]:
    """Return the mailboxes by number."""
    rows = session.execute(select(mailbox).order_by(mailbox.c.number))
    return {row.number: Mailbox(row.number, row.name, row.email, row.pin) for row in rows}


def replace_hours(session: Session, those: Iterable[Hours]) -> None:
    """Make these the opening hours; groups and DIDs name them without a key of the database."""
    session.execute(delete(hours))
    rows = [
        {
            "name": one.name,
            "zone": one.zone,
            "country": one.country,
            "region": one.region,
            "openings": [
                {"days": sorted(each.days), "start": _text(each.start), "end": _text(each.end)}
                for each in one.openings
            ],
            "days": [_own_day_values(each) for each in one.days],
        }
        for one in those
    ]
    if rows:
        session.execute(insert(hours), rows)


def replace_trunks(session: Session, those: Iterable[Trunk]) -> None:
    """Make these the trunks."""
    session.execute(delete(trunk))
    rows = [{"endpoint": one.endpoint, "template": one.template} for one in those]
    if rows:
        session.execute(insert(trunk), rows)


def replace_mailboxes(session: Session, those: Iterable[Mailbox]) -> None:
    """Make these the mailboxes."""
    session.execute(delete(mailbox))
    rows = [asdict(one) for one in those]
    if rows:
        session.execute(insert(mailbox), rows)


def rules_to_json(did: Did) -> dict[str, Any]:
    """Return what an admin set for a DID beyond its columns."""
    menu = did.menu
    return {
        "hours": did.hours,
        "greeting": did.greeting,
        "last_operator_days": did.last_operator_days,
        "vip_always": did.vip_always,
        "overflow": did.overflow,
        "closed": _action_values(did.closed),
        "unanswered": _action_values(did.unanswered),
        "menu": None
        if menu is None
        else {
            "announcement": menu.announcement,
            "choices": dict(menu.choices),
            "seconds": menu.seconds,
            "tries": menu.tries,
        },
        "steps": {
            name.value: {
                "enabled": one.enabled,
                "seconds": one.seconds,
                "strategy": one.strategy.value,
                "announcement": one.announcement,
            }
            for name, one in did.steps.items()
        },
    }


def rules_from_json(value: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the fields of a Did that `rules_to_json` kept; a row without any has the usual."""
    if not value:
        return {}
    fields = dict(value)
    fields["closed"] = _action(fields["closed"])
    fields["unanswered"] = _action(fields["unanswered"])
    fields["menu"] = None if fields["menu"] is None else Menu(**fields["menu"])
    fields["steps"] = {
        StepName(name): StepRule(**{**one, "strategy": Strategy(one["strategy"])})
        for name, one in fields["steps"].items()
    }
    return fields


def _action(value: Mapping[str, Any]) -> Action:
    return Action(**{**value, "kind": ActionKind(value["kind"])})


def _action_values(action: Action) -> dict[str, Any]:
    return {
        "kind": action.kind.value,
        "announcement": action.announcement,
        "value": action.value,
        "trunk": action.trunk,
        "seconds": action.seconds,
    }


def _own_day(value: Mapping[str, Any]) -> OwnDay:
    return OwnDay(
        date.fromisoformat(value["day"]),
        date.fromisoformat(value["last"]),
        value["name"],
        tuple(_break(one) for one in value["openings"]),
        value["like"],
        value["yearly"],
    )


def _own_day_values(one: OwnDay) -> dict[str, Any]:
    return {
        "day": one.day.isoformat(),
        "last": one.last.isoformat(),
        "name": one.name,
        "openings": [[_text(start), _text(end)] for start, end in one.openings],
        "like": one.like,
        "yearly": one.yearly,
    }


def _break(pair: Iterable[str]) -> Break:
    start, end = pair
    return time.fromisoformat(start), time.fromisoformat(end)


def _text(at: time) -> str:
    return f"{at:%H:%M}"
