"""Applying the changes gives what is wanted, and nothing outside our queues is touched."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.domain.duty import Presence, Roster
from telephony.domain.membership import (
    Member,
    Remove,
    applied,
    changes,
    next_look,
    ours,
    wanted,
)
from telephony.domain.queueing import PREFIX, QueueSettings
from telephony.domain.setup import Group, Operator, Setup
from tests.property.rosters import rosters

OPERATORS = {
    name: Operator(name, name, name, f"+7916111{name}0") for name in ("101", "102", "103", "104")
}
DEVICES = st.dictionaries(
    st.sampled_from(
        [f"PJSIP/{name}" for name in OPERATORS]
        + [f"Custom:dutyline-pause-{name}" for name in OPERATORS]
    ),
    st.sampled_from(["NOT_INUSE", "INUSE", "BUSY", "ONHOLD", "UNAVAILABLE", "UNKNOWN"]),
)
KEYS = st.tuples(
    st.sampled_from(["dutyline-sales", "dutyline-other", "400", "sales", "Dutyline-sales"]),
    st.sampled_from(["PJSIP/101", "PJSIP/102", "Local/101@from-queue/n", "PJSIP/900"]),
)
MEMBERS = st.dictionaries(
    KEYS,
    st.builds(Member, st.integers(0, 3), st.sampled_from(["", "lunch", "wrap_up", "paused"])),
)


def setup_of(roster: Roster) -> Setup:
    groups = {
        "sales": Group("sales", roster, QueueSettings("sales")),
        "none": Group("none", roster),
    }
    return Setup(OPERATORS, groups)


@settings(max_examples=200, deadline=None)
@given(rosters(), DEVICES, MEMBERS)
def test_the_members_become_those_who_are_wanted(
    made: tuple[Roster, datetime], devices: dict[str, str], have: dict[tuple[str, str], Member]
) -> None:
    roster, around = made
    setup = setup_of(roster)
    moment = setup.groups["sales"].timeline.next_cut(around)
    want = wanted(setup, moment, devices, {})
    todo = changes(want, have)
    after = applied(have, todo)
    assert ours(after) == want
    assert {key: one for key, one in after.items() if not key[0].startswith(PREFIX)} == {
        key: one for key, one in have.items() if not key[0].startswith(PREFIX)
    }
    assert changes(want, after) == []
    assert all(one.queue.startswith(PREFIX) for one in todo)
    # Nobody goes before all who come are there.
    kinds = [isinstance(one, Remove) for one in todo]
    assert kinds == sorted(kinds)
    on_shift = {
        who
        for who, where in setup.groups["sales"].timeline.at(moment).items()
        if where is Presence.ON_SHIFT
    }
    desks = {interface for _, interface in want if interface.startswith("PJSIP/")}
    assert desks == {f"PJSIP/{who}" for who in on_shift}


@settings(max_examples=100, deadline=None)
@given(rosters(), st.integers(0, 96 * 60))
def test_nobody_comes_or_goes_between_two_looks(
    made: tuple[Roster, datetime], minutes: int
) -> None:
    roster, around = made
    setup = setup_of(roster)
    at = around + timedelta(minutes=minutes)
    following = next_look(setup, at, {})
    assert following is not None
    assert at < following
    almost = following - timedelta(seconds=1)
    assert wanted(setup, at, {}, {}) == wanted(setup, max(at, almost), {}, {})
