"""Who is rung, in which order, and the reason for every rule that was skipped: tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time

import pytest

from telephony.domain.did import Did
from telephony.domain.directory import Assignment, Client
from telephony.domain.duty import Absence, Roster, Shift
from telephony.domain.routing import (
    Decision,
    Kind,
    Question,
    Reason,
    Rule,
    Situation,
    Step,
    decide,
)
from telephony.domain.setup import Group, Operator, Setup

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
DID = "74951234567"
WEEK = frozenset(range(1, 8))
DAY = ((time(9), time(18)),)


def shift(operator: str, start: int = 9, end: int = 18, lunch: int | None = None) -> Shift:
    break_ = (time(lunch), time(lunch + 1)) if lunch is not None else None
    return Shift(operator, WEEK, time(start), time(end % 24), break_)


def setup(*shifts: Shift, default: str | None = "duty") -> Setup:
    operators = {
        "101": Operator("101", "Anna", "101", "+79161110001", "102"),
        "102": Operator("102", "Boris", "102"),
        "103": Operator("103", "Vera", "103"),
        "104": Operator("104", "Gleb", "104", "+79161110004"),
    }
    groups = {"duty": Group("duty", Roster("UTC", shifts))}
    return Setup(operators, groups, {DID: Did(DID, "duty")}, default)


def client(manager: str | None = "101", deputy: str | None = None, vip: bool = False) -> Client:
    return Client(7, "Romashka", Assignment(manager, deputy, vip))


def asked(
    known: Client | None,
    place: Setup,
    devices: dict[str, str] | None = None,
    *,
    did: str = DID,
    number: str = "+79001112233",
) -> Decision:
    every = {f"PJSIP/{name}": "NOT_INUSE" for name in place.operators}
    states = {**every, **{f"PJSIP/{name}": state for name, state in (devices or {}).items()}}
    return decide(Question(did, number, NOON), Situation(known, states), place)


def rung(decision: Decision) -> list[str]:
    def one(step: Step) -> str:
        if not step.targets:
            return str(step.kind)
        return f"{step.kind} " + "&".join(target.operator for target in step.targets)

    return [one(step) for step in decision.plan.steps]


def reason(decision: Decision, rule: Rule) -> Reason:
    return next(line.reason for line in decision.trace if line.rule is rule)


ON_DUTY = (shift("101"), shift("102"), shift("103"))


@pytest.mark.parametrize(
    ("known", "place", "devices", "expected"),
    [
        pytest.param(
            client(),
            setup(*ON_DUTY),
            {},
            ["desk 101", "mobile 101", "desk 102", "desk 103", "end"],
            id="manager, mobile, deputy, duty",
        ),
        pytest.param(
            client(),
            setup(*ON_DUTY),
            {"101": "INUSE"},
            ["desk 102", "desk 103", "end"],
            id="a talking manager is spared on the mobile too",
        ),
        pytest.param(
            client(),
            setup(*ON_DUTY),
            {"101": "UNAVAILABLE"},
            ["mobile 101", "desk 102", "desk 103", "end"],
            id="an unregistered desk goes straight to the mobile",
        ),
        pytest.param(
            client(),
            setup(shift("101", 18, 23), shift("102"), shift("103")),
            {},
            ["desk 102", "desk 103", "end"],
            id="manager off shift",
        ),
        pytest.param(
            client(),
            setup(shift("101", lunch=12), shift("103")),
            {},
            ["desk 102", "desk 103", "end"],
            id="manager at lunch, deputy without shifts",
        ),
        pytest.param(
            client(vip=True),
            setup(shift("101", lunch=12), shift("103")),
            {},
            ["desk 101", "mobile 101", "desk 102", "desk 103", "end"],
            id="lunch does not stop a VIP",
        ),
        pytest.param(
            client(vip=True),
            setup(shift("101", 18, 23), shift("103")),
            {},
            ["desk 102", "desk 103", "end"],
            id="off shift is off shift for a VIP too",
        ),
        pytest.param(
            client(deputy="104"),
            setup(*ON_DUTY),
            {},
            ["desk 101", "mobile 101", "desk 104", "mobile 104", "desk 102&103", "end"],
            id="the client's own deputy wins over the manager's",
        ),
        pytest.param(
            client(None),
            setup(*ON_DUTY),
            {},
            ["desk 101&102&103", "end"],
            id="a client without a manager",
        ),
        pytest.param(
            client("999"),
            setup(*ON_DUTY),
            {},
            ["desk 101&102&103", "end"],
            id="a manager who does not exist",
        ),
        pytest.param(
            None,
            setup(*ON_DUTY),
            {"102": "INUSE", "103": "RINGING"},
            ["desk 101&103", "end"],
            id="a stranger rings all on duty but those who talk",
        ),
        pytest.param(
            None,
            setup(shift("101"), shift("104")),
            {"101": "UNAVAILABLE", "104": "UNAVAILABLE"},
            ["mobile 101", "mobile 104", "end"],
            id="no desk on duty: mobiles one by one",
        ),
        pytest.param(
            None,
            setup(shift("101"), shift("103")),
            {"101": "INUSE", "103": "BUSY"},
            ["fallback"],
            id="all on duty talk: the fallback, where callers can wait",
        ),
        pytest.param(
            client(),
            setup(*ON_DUTY),
            {"103": "INUSE", "102": "UNAVAILABLE"},
            ["desk 101", "mobile 101", "fallback"],
            id="a manager who does not answer, all on duty talking: the fallback, no dead end",
        ),
        pytest.param(
            client(),
            setup(*ON_DUTY),
            {"101": "RINGING"},
            ["desk 101", "mobile 101", "desk 102", "desk 103", "end"],
            id="a manager whose phone rings for another is rung",
        ),
        pytest.param(None, setup(shift("103", 0, 8)), {}, ["fallback"], id="nobody on duty"),
        pytest.param(
            client("103"),
            setup(shift("103")),
            {},
            ["desk 103", "fallback"],
            id="manager is on duty: once",
        ),
        pytest.param(
            client("101", deputy="101"),
            setup(shift("101")),
            {},
            ["desk 101", "mobile 101", "fallback"],
            id="one's own deputy is tried once",
        ),
    ],
)
def test_who_is_rung(
    known: Client | None, place: Setup, devices: dict[str, str], expected: list[str]
) -> None:
    assert rung(asked(known, place, devices)) == expected


def test_a_manager_on_vacation_is_passed_over_with_shifts_or_without() -> None:
    monday = datetime(2026, 11, 23)  # noqa: DTZ001
    away = tuple(
        Absence(who, monday, monday.replace(day=30), "Europe/Moscow") for who in ("101", "103")
    )
    without = setup(shift("103"))
    shifts = without.groups["duty"].roster.shifts
    groups = {"duty": Group("duty", Roster("UTC", shifts, absences=away))}
    place = replace(without, groups=groups, absences=away)
    decision = asked(client(), place)
    assert rung(decision) == ["desk 102", "fallback"]
    assert reason(decision, Rule.MANAGER) is Reason.ABSENT
    duty = [line.reason for line in decision.trace if line.rule is Rule.DUTY]
    assert duty == [Reason.ABSENT, Reason.NOBODY_ON_DUTY]


def test_a_device_of_unknown_state_is_rung() -> None:
    decision = decide(Question(DID, "", NOON), Situation(), setup(shift("103")))
    assert rung(decision) == ["desk 103", "end"]
    assert Reason.STATE_UNKNOWN in [line.reason for line in decision.trace]


def test_an_unknown_did_goes_to_the_default_group_or_the_fallback() -> None:
    known = asked(None, setup(*ON_DUTY), did="70000000000")
    assert reason(known, Rule.DID) is Reason.DID_UNKNOWN_DEFAULT_GROUP
    assert rung(known) == ["desk 101&102&103", "end"]
    lost = asked(None, setup(*ON_DUTY, default=None), did="70000000000")
    assert reason(lost, Rule.DID) is Reason.DID_UNKNOWN
    assert rung(lost) == ["fallback"]
    still = asked(client(), setup(*ON_DUTY, default=None), did="70000000000")
    assert rung(still) == ["desk 101", "mobile 101", "desk 102", "fallback"]


def test_a_large_group_rings_in_steps_that_asterisk_can_dial() -> None:
    names = [str(number) for number in range(1000, 1060)]
    operators = {name: Operator(name, name, name) for name in names}
    roster = Roster("UTC", tuple(shift(name) for name in names))
    place = Setup(operators, {"duty": Group("duty", roster)}, {DID: Did(DID, "duty")}, "duty")
    steps = decide(Question(DID, "", NOON), Situation(), place).plan.steps
    assert [len(step.targets) for step in steps] == [25, 25, 10, 0]
    assert [target.operator for step in steps for target in step.targets] == names


def test_hidden_and_unknown_numbers_are_told_apart() -> None:
    assert reason(asked(None, setup(), number=""), Rule.CLIENT) is Reason.NUMBER_HIDDEN
    assert reason(asked(None, setup()), Rule.CLIENT) is Reason.CLIENT_UNKNOWN


def test_every_skipped_rule_has_its_reason() -> None:
    decision = asked(client(), setup(shift("101", 18, 23), shift("103")), {"102": "UNAVAILABLE"})
    told = {(line.rule, line.used, line.reason) for line in decision.trace}
    assert {
        (Rule.MANAGER, False, Reason.OFF_SHIFT),
        (Rule.DEPUTY, True, Reason.UNSCHEDULED),
        (Rule.DEPUTY_DESK, False, Reason.UNREGISTERED),
        (Rule.DEPUTY_MOBILE, False, Reason.NO_MOBILE),
        (Rule.DUTY, True, Reason.RINGS_DUTY),
        (Rule.LAST, True, Reason.PLAN_EXHAUSTED),
    } <= told


def test_times_come_from_the_did() -> None:
    place = setup(*ON_DUTY)
    quick = Setup(place.operators, place.groups, {DID: Did(DID, "duty", "", 7, 8, 9)}, "duty")
    seconds = [step.seconds for step in asked(client(), quick).plan.steps]
    assert seconds == [7, 8, 7, 9, 0]


def test_the_plan_carries_the_clients_name_and_ends_once() -> None:
    decision = asked(client(), setup(*ON_DUTY))
    assert decision.plan.name == "Romashka"
    assert [step.kind for step in decision.plan.steps].count(Kind.END) == 1
