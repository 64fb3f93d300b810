"""Operators, groups with their rosters, hours, trunks and DIDs: small, replaced as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Session

from telephony.domain.did import Did
from telephony.domain.duty.calendars import with_imported
from telephony.domain.setup import Group, Operator, Setup
from telephony.store.blocklist import load_blocklist
from telephony.store.calendars import load_imported
from telephony.store.callback_rules import load_callback_rules, replace_callback_rules
from telephony.store.clients import count_assigned
from telephony.store.directory import bump
from telephony.store.hours import (
    load_hours,
    load_mailboxes,
    load_trunks,
    replace_hours,
    replace_mailboxes,
    replace_trunks,
    rules_from_json,
    rules_to_json,
)
from telephony.store.queues import group_queue, load_queues, queue_values
from telephony.store.rosters import delete_rosters, load_absences, load_rosters, save_rosters
from telephony.store.tables import Json, metadata, upsert

operator = Table(
    "operator",
    metadata,
    Column("extension", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("mobile", Text),
    Column("deputy", Text, ForeignKey("operator.extension")),
    Column("trunk", Text),
    UniqueConstraint("endpoint"),
)

operator_group = Table(
    "operator_group",
    metadata,
    Column("name", Text, primary_key=True),
    Column("zone", Text, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("hours", Text),
)

did = Table(
    "did",
    metadata,
    Column("number", Text, primary_key=True),
    Column("group_name", ForeignKey("operator_group.name"), nullable=False),
    Column("title", Text, nullable=False),
    Column("desk_seconds", Integer, nullable=False),
    Column("mobile_seconds", Integer, nullable=False),
    Column("duty_seconds", Integer, nullable=False),
    Column("rules", Json),
)


class AssignedError(Exception):
    """Operators cannot be removed: `counts` says how many clients each of them has."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        """`counts` maps extensions to numbers of clients."""
        self.counts = dict(counts)
        each = ", ".join(f"{extension} ({number})" for extension, number in self.counts.items())
        super().__init__(
            f"clients are still assigned to operators that would be removed: {each}. "
            "Give these clients another manager or deputy first"
        )


def load_setup(session: Session) -> Setup:
    """Return everything an admin set up."""
    operators = {
        row.extension: Operator(
            row.extension, row.name, row.endpoint, row.mobile, row.deputy, row.trunk
        )
        for row in session.execute(select(operator).order_by(operator.c.extension))
    }
    rows = session.execute(select(operator_group).order_by(operator_group.c.name)).all()
    absences = load_absences(session)
    queues = load_queues(session)
    imported, away = load_imported(session, operators)
    written = load_rosters(session, {row.name: row.zone for row in rows}, absences)
    rosters = {
        name: with_imported(roster, imported.get(name, ()), away)
        for name, roster in written.items()
    }
    return Setup(
        operators=operators,
        groups={
            row.name: Group(row.name, rosters[row.name], queues.get(row.name), row.hours)
            for row in rows
        },
        dids={
            row.number: Did(
                number=row.number,
                group=row.group_name,
                title=row.title,
                desk_seconds=row.desk_seconds,
                mobile_seconds=row.mobile_seconds,
                duty_seconds=row.duty_seconds,
                **rules_from_json(row.rules),
            )
            for row in session.execute(select(did).order_by(did.c.number))
        },
        default_group=next((row.name for row in rows if row.is_default), None),
        absences=absences,
        calendar_absences=away,
        blocked=load_blocklist(session),
        hours=load_hours(session),
        trunks=load_trunks(session),
        mailboxes=load_mailboxes(session),
        callbacks=load_callback_rules(session),
    )


def list_extensions(session: Session) -> frozenset[str]:
    """Return the extensions of all operators."""
    return frozenset(session.execute(select(operator.c.extension)).scalars())


def replace_setup(session: Session, setup: Setup) -> int:
    """Make the stored set-up equal to this one, but for the block list; return the new version.

    Calendars stay, also those of groups and operators that go (see store.aside); what came of them
    is not stored.

    Raises AssignedError, before anything is written, when an operator with clients would go.
    """
    version = bump(session, setup=True)
    gone = check_removable(session, setup)
    delete_rosters(session)
    session.execute(delete(group_queue))
    for table in (did, operator_group):
        session.execute(delete(table))
    _replace_operators(session, setup, gone)
    groups = [
        {
            "name": name,
            "zone": group.roster.zone,
            "is_default": name == setup.default_group,
            "hours": group.hours,
        }
        for name, group in setup.groups.items()
    ]
    _insert(session, operator_group, groups)
    queues = {name: group.queue for name, group in setup.groups.items() if group.queue}
    _insert(session, group_queue, queue_values(queues))
    rosters = {name: group.roster for name, group in setup.groups.items()}
    save_rosters(session, rosters, setup.absences)
    replace_hours(session, setup.hours.values())
    replace_trunks(session, setup.trunks.values())
    replace_mailboxes(session, setup.mailboxes.values())
    replace_callback_rules(session, setup.callbacks)
    _insert(session, did, [_did_values(each) for each in setup.dids.values()])
    return version


def check_removable(session: Session, setup: Setup) -> list[str]:
    """Return the operators that this set-up has no more; AssignedError when they have clients."""
    gone = sorted(list_extensions(session) - set(setup.operators))
    counts = count_assigned(session, gone)
    if counts:
        raise AssignedError(counts)
    return gone


def _replace_operators(session: Session, setup: Setup, gone: list[str]) -> None:
    # Two operators may swap endpoints, and deputies may point anywhere: clear both first.
    session.execute(update(operator).values(deputy=None, endpoint="~" + operator.c.extension))
    if gone:
        session.execute(delete(operator).where(operator.c.extension.in_(gone)))
    if not setup.operators:
        return
    values: list[dict[str, Any]] = [
        {
            "extension": each.extension,
            "name": each.name,
            "endpoint": each.endpoint,
            "mobile": each.mobile,
            "trunk": each.trunk,
            "deputy": None,
        }
        for each in setup.operators.values()
    ]
    session.execute(upsert(session, operator, key=("extension",)), values)
    session.execute(
        update(operator)
        .where(operator.c.extension == bindparam("key"))
        .values(deputy=bindparam("other")),
        [{"key": each.extension, "other": each.deputy} for each in setup.operators.values()],
    )


def _insert(session: Session, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(insert(table), rows)


def _did_values(each: Did) -> dict[str, Any]:
    return {
        "number": each.number,
        "group_name": each.group,
        "title": each.title,
        "desk_seconds": each.desk_seconds,
        "mobile_seconds": each.mobile_seconds,
        "duty_seconds": each.duty_seconds,
        "rules": rules_to_json(each),
    }
