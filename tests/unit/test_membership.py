"""Who must be a member of which queue: tables; and what may be sent for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from telephony.ami import actions
from telephony.domain.duty import Absence, Override, Roster, Shift
from telephony.domain.membership import (
    Action,
    Add,
    Key,
    Member,
    Pause,
    Penalise,
    Remove,
    applied,
    changes,
    next_look,
    rest_until,
    wanted,
)
from telephony.domain.queueing import QueueSettings
from telephony.domain.setup import Group, Operator, Setup, Trunk

DAYS = frozenset(range(1, 8))
QUEUE = "dutyline-sales"
OPERATORS = {
    "101": Operator("101", "Anna", "101", "+79161110001"),
    "102": Operator("102", "Boris", "boris-desk"),
    "103": Operator("103", "Vera", "103", "+79161110003"),
}
ROSTER = Roster(
    "UTC",
    (
        Shift("101", DAYS, time(9), time(18), (time(13), time(14)), cover="103"),
        Shift("102", DAYS, time(12), time(20)),
    ),
)
SETUP = Setup(
    OPERATORS,
    {
        "sales": Group("sales", ROSTER, QueueSettings("sales", wrapup_seconds=20)),
        "support": Group("support", ROSTER),
    },
)
UNPLUGGED = {f"PJSIP/{name}": "UNAVAILABLE" for name in ("101", "boris-desk", "103")}


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 26, hour, minute, tzinfo=UTC)


def named(members: dict[Key, Member]) -> dict[str, str]:
    assert {queue for queue, _ in members} <= {QUEUE}
    return {interface: member.pause for (_, interface), member in members.items()}


@pytest.mark.parametrize(
    ("moment", "devices", "expected"),
    [
        (at(8, 59), {}, {}),
        (at(9), {}, {"PJSIP/101": ""}),
        (at(12), {}, {"PJSIP/101": "", "PJSIP/boris-desk": ""}),
        # At lunch by the roster one is no member, the cover is.
        (at(13), {}, {"PJSIP/103": "", "PJSIP/boris-desk": ""}),
        (at(14), {}, {"PJSIP/101": "", "PJSIP/boris-desk": ""}),
        (at(18), {}, {"PJSIP/boris-desk": ""}),
        (at(20), {}, {}),
        (at(9), {"PJSIP/101": "UNAVAILABLE"},
         {"PJSIP/101": "", "Local/79161110001@dutyline-mobile/n": ""}),
        # Boris's desk is connected: nobody's mobile is needed.
        (at(12), {"PJSIP/101": "UNAVAILABLE"}, {"PJSIP/101": "", "PJSIP/boris-desk": ""}),
        (at(12), UNPLUGGED, {"PJSIP/101": "", "Local/79161110001@dutyline-mobile/n": "",
                             "PJSIP/boris-desk": ""}),
        (at(9), {"PJSIP/101": "INUSE"}, {"PJSIP/101": ""}),
        (at(9), {"Custom:dutyline-pause-101": "BUSY"}, {"PJSIP/101": "lunch"}),
        (at(9), {"Custom:dutyline-pause-101": "ONHOLD"}, {"PJSIP/101": "break"}),
        (at(9), {"Custom:dutyline-pause-101": "RINGINUSE"}, {"PJSIP/101": "wrap_up"}),
        (at(9), {"Custom:DND101": "BUSY"}, {"PJSIP/101": "do_not_disturb"}),
        # Who forwards calls is at the mobile; Boris has none.
        (at(12), {"Custom:CF101": "BUSY"},
         {"Local/79161110001@dutyline-mobile/n": "", "PJSIP/boris-desk": ""}),
        (at(12), {"Custom:CF102": "BUSY"}, {"PJSIP/101": "", "PJSIP/boris-desk": ""}),
        (at(12), {"Custom:dutyline-pause-102": "INUSE"},
         {"PJSIP/101": "", "PJSIP/boris-desk": "offline"}),
    ],
)  # fmt: skip
def test_who_is_wanted(moment: datetime, devices: dict[str, str], expected: dict[str, str]) -> None:
    assert named(wanted(SETUP, moment, devices, {})) == expected


@pytest.mark.parametrize(
    ("template", "member"),
    [
        ("8{national}", "Local/89161110001*city-1@dutyline-mobile/n"),
        ("{e164}", "Local/+79161110001*city-1@dutyline-mobile/n"),
    ],
)
def test_a_mobile_with_a_trunk_of_its_own(template: str, member: str) -> None:
    anna = replace(SETUP.operators["101"], trunk="city-1")
    setup = replace(
        SETUP,
        operators={**SETUP.operators, "101": anna},
        trunks={"city-1": Trunk("city-1", template)},
    )
    found = named(wanted(setup, at(9), {"PJSIP/101": "UNAVAILABLE"}, {}))
    assert found == {"PJSIP/101": "", member: ""}
    add = Add(QUEUE, member, Member())
    assert ("Interface", member) in actions.member_action(add)[0]
    dialled = "".join(one for one in member.partition("*")[0] if one.isdigit())
    assert setup.mobiles[dialled] == "101"


def test_whoever_is_away_is_no_member_and_an_override_counts() -> None:
    day = datetime.fromisoformat("2026-11-26")
    away = (Absence("101", day, day + timedelta(days=1), "UTC", cover="103"),)
    roster = replace(ROSTER, absences=away)
    setup = replace(SETUP, groups={"sales": replace(SETUP.groups["sales"], roster=roster)})
    assert named(wanted(setup, at(10), {}, {})) == {"PJSIP/103": ""}
    night = Override(("103",), day + timedelta(hours=22), day + timedelta(hours=23))
    roster = replace(ROSTER, overrides=(night,))
    setup = replace(SETUP, groups={"sales": replace(SETUP.groups["sales"], roster=roster)})
    assert named(wanted(setup, at(22), {}, {})) == {"PJSIP/103": ""}


def test_a_rest_ends_by_itself_and_a_pause_is_stronger() -> None:
    until = rest_until(SETUP, "101", at(10))
    assert until == at(10) + timedelta(seconds=20)
    resting = {"101": until}
    assert named(wanted(SETUP, at(10), {}, resting)) == {"PJSIP/101": "wrap_up"}
    assert named(wanted(SETUP, until, {}, resting)) == {"PJSIP/101": ""}
    lunch = {"Custom:dutyline-pause-101": "BUSY"}
    assert named(wanted(SETUP, at(10), lunch, resting)) == {"PJSIP/101": "lunch"}
    assert rest_until(SETUP, "109", at(10)) is None


def test_the_next_look_is_at_a_hand_over_or_the_end_of_a_rest() -> None:
    assert next_look(SETUP, at(10), {}) == at(12)
    assert next_look(SETUP, at(13, 30), {}) == at(14)
    assert next_look(SETUP, at(10), {"101": at(10, 1)}) == at(10, 1)
    assert next_look(SETUP, at(10), {"101": at(10)}) == at(12)
    assert next_look(SETUP, at(21), {}) == at(0) + timedelta(days=1)
    assert next_look(Setup(), at(10), {}) is None


def test_who_comes_before_who_goes_and_other_queues_are_left_alone() -> None:
    have = {
        (QUEUE, "PJSIP/103"): Member(),
        (QUEUE, "PJSIP/boris-desk"): Member(3, "wrap_up"),
        (QUEUE, "PJSIP/900"): Member(fixed=True),
        ("400", "Local/101@from-queue/n"): Member(),
    }
    want = {(QUEUE, "PJSIP/101"): Member(pause="lunch"), (QUEUE, "PJSIP/boris-desk"): Member()}
    assert changes(want, have) == [
        Add(QUEUE, "PJSIP/101", Member(pause="lunch")),
        Penalise(QUEUE, "PJSIP/boris-desk", 0),
        Pause(QUEUE, "PJSIP/boris-desk", ""),
        Remove(QUEUE, "PJSIP/103"),
    ]
    assert applied(have, changes(want, have))["400", "Local/101@from-queue/n"] == Member()


@pytest.mark.parametrize(
    ("action", "sent"),
    [
        (Add(QUEUE, "PJSIP/101", Member()), ["QueueAdd"]),
        (Add(QUEUE, "PJSIP/101", Member(pause="lunch")), ["QueueAdd", "QueuePause"]),
        (Remove(QUEUE, "Local/79161110001@dutyline-mobile/n"), ["QueueRemove"]),
        (Pause(QUEUE, "PJSIP/101", ""), ["QueuePause"]),
        (Penalise(QUEUE, "PJSIP/101", 5), ["QueuePenalty"]),
    ],
)
def test_what_is_sent(action: Action, sent: list[str]) -> None:
    made = [dict(fields) for fields in actions.member_action(action)]
    assert [one["Action"] for one in made] == sent
    assert all(one["Queue"] == QUEUE and one["Interface"] == action.interface for one in made)


@pytest.mark.parametrize(
    "action",
    [
        Remove("400", "PJSIP/101"),
        Remove("dutyline-", "PJSIP/101"),
        Remove("dutyline-a\r\nAction: Hangup", "PJSIP/101"),
        Add(QUEUE, "Local/101@from-queue/n", Member()),
        Add(QUEUE, "Local/79161110001@from-internal/n", Member()),
        Add(QUEUE, "PJSIP/101&PJSIP/102", Member()),
        Pause(QUEUE, "PJSIP/101", "a\r\nb"),
    ],
)
def test_nothing_else_is_sent(action: Action) -> None:
    with pytest.raises(actions.BadValue):
        actions.member_action(action)


def test_a_switch_is_set_to_its_own_states_only() -> None:
    fields = dict(actions.switch("Custom:dutyline-pause-101", "BUSY"))
    assert fields["Variable"] == "DEVICE_STATE(Custom:dutyline-pause-101)"
    assert fields["Value"] == "BUSY"
    for device, state in (
        ("Custom:dutyline-pause-101", "RINGING"),
        ("Custom:DND101", "BUSY"),
        ("Custom:dutyline-pause-101)", "BUSY"),
    ):
        with pytest.raises(actions.BadValue):
            actions.switch(device, state)
