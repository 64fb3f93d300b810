"""The pages of operators."""

from __future__ import annotations

from flask import Blueprint, abort, render_template

from telephony.accounts import Role
from telephony.domain.duty import Presence
from telephony.domain.duty.walltime import reached
from telephony.domain.setup import Setup
from telephony.store.calendars import Owner
from telephony.store.call_lines import find_calls
from telephony.store.engine import reading
from telephony.store.live import list_operator_states
from telephony.store.search import Filter
from telephony.store.setup import load_setup
from telephony.store.shares import list_shares
from telephony.store.switches import find_switches
from telephony.store.tables import moment
from web.calls.asking import right_of
from web.cleaning import visible
from web.duty import OnDuty, everybody, listening
from web.operators.pauses import pausing
from web.rights import allow, signed_in_user
from web.services import services

blueprint = Blueprint("operators", __name__, url_prefix="/operators")

_CALLS = 20


@blueprint.get("")
@allow()
def index() -> str:
    """List operators, what they do now, and who is on duty."""
    now = services().now()
    with reading(services().engine) as session:
        setup = load_setup(session)
        found = everybody(setup, list_operator_states(session), now)
        live = listening(session, now)
    return render_template(
        "operators/index.html",
        operators=found,
        since={one.operator.extension: moment(one.since) for one in found if one.since},
        groups=_groups(setup, found),
        names={extension: visible(one.name) for extension, one in setup.operators.items()},
        live=live,
    )


@blueprint.get("/<extension>")
@allow()
def show(extension: str) -> str:
    """Show one operator with latest calls and shifts; to an operator only calls of their own."""
    now = services().now()
    with reading(services().engine) as session:
        setup = load_setup(session)
        found = everybody(setup, list_operator_states(session), now)
        person = next((one for one in found if one.operator.extension == extension), None)
        if person is None:
            abort(404)
        where = Filter(operator=extension, involving=right_of(signed_in_user()))
        calls = find_calls(session, where, _CALLS)
        live = listening(session, now)
        switches = find_switches(session)
        shares = [
            one
            for one in list_shares(session)
            if (one.owner_kind, one.owner) == (Owner.OPERATOR, extension)
        ]
    user = signed_in_user()
    shifts = [
        (group, shift)
        for group in setup.groups.values()
        for shift in group.roster.shifts
        if shift.operator == extension
    ]
    turns = [
        (group, rotation)
        for group in setup.groups.values()
        for rotation in group.roster.rotations
        if any(extension in turn for turn in rotation.turns)
    ]
    away = [
        (absence, reached(absence.start, absence.zone), reached(absence.end, absence.zone))
        for absence in setup.absences_of.get(extension, ())
    ]
    return render_template(
        "operators/show.html",
        may_share=user.role is not Role.OPERATOR or user.extension == extension,
        shares=shares,
        owners={(Owner.OPERATOR, extension): visible(person.operator.name)},
        calendars=[
            group
            for group in setup.groups.values()
            if any(one.operator == extension for one in group.roster.imported)
        ],
        share_key=f"{Owner.OPERATOR.value}:{extension}",
        person=person,
        pausing=pausing(switches, extension, signed_in_user()),
        since=moment(person.since) if person.since else None,
        shifts=shifts,
        turns=turns,
        away=[one for one in away if one[2] > now],
        calls=calls.items,
        total=calls.total,
        names={extension: visible(one.name) for extension, one in setup.operators.items()},
        live=live,
    )


def _groups(setup: Setup, found: list[OnDuty]) -> list[tuple[str, list[OnDuty]]]:
    """Return (group, who of it is on duty now), by the groups' names."""
    return [
        (name, [one for one in found if one.groups.get(name) is Presence.ON_SHIFT])
        for name in sorted(setup.groups)
    ]
