"""The order of the rules around those for people: block list, hours, VIP, menu, queue, the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from telephony.domain.blocklist import Blocked, Blocklist
from telephony.domain.did import (
    Action,
    ActionKind,
    Did,
    Menu,
    StepName,
    StepRule,
    Strategy,
)
from telephony.domain.directory import Assignment, Client, Stage
from telephony.domain.duty import Roster, Shift
from telephony.domain.hours import Hours, Opening
from telephony.domain.pauses import STATE_OF, PauseKind, closed_device, pause_device
from telephony.domain.queueing import QueueSettings
from telephony.domain.routing import (
    NO_KEY,
    Decision,
    Kind,
    Question,
    Reason,
    Rule,
    Situation,
    Step,
    decide,
)
from telephony.domain.setup import Group, Operator, Setup, Trunk

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
NIGHT = NOON.replace(hour=23)
DID = "74951234567"
CALLER = "+79001112233"
WEEK = frozenset(range(1, 8))
OFFICE = Hours("office", "UTC", (Opening(WEEK, time(9), time(18)),))
QUEUE = QueueSettings("duty", max_wait_seconds=120)


def setup(queue: QueueSettings | None = None, **rules: Any) -> Setup:
    operators = {
        "101": Operator("101", "Anna", "101", "+79161110001", "102"),
        "102": Operator("102", "Boris", "102"),
        "103": Operator("103", "Vera", "103", "+79161110003", trunk="city"),
        "104": Operator("104", "Gleb", "104"),
    }

    def group(name: str, *who: str, queue: QueueSettings | None = None) -> Group:
        shifts = tuple(Shift(one, WEEK, time(0), time(0)) for one in who)
        return Group(name, Roster("UTC", shifts), queue)

    groups = {
        "duty": group("duty", "102", "103", queue=queue),
        "support": group("support", "104"),
    }
    return Setup(
        operators,
        groups,
        {DID: replace(Did(DID, "duty", "Sales", hours="office"), **rules)},
        "duty",
        hours={"office": OFFICE},
        trunks={"city": Trunk("city", "8{national}")},
    )


def client(*, vip: bool = False, stage: Stage = Stage.CUSTOMER) -> Client:
    return Client(7, "Romashka", Assignment("101", None, vip, stage))


def asked(place: Setup, at: datetime = NOON, key: str = "", **known: Any) -> Decision:
    devices = {f"PJSIP/{name}": "NOT_INUSE" for name in place.operators}
    devices |= known.pop("devices", {})
    number = known.pop("number", CALLER)
    return decide(Question(DID, number, at, key), Situation(devices=devices, **known), place)


def steps(decision: Decision) -> list[str]:
    def one(step: Step) -> str:
        parts = [str(step.kind), *(target.operator or target.address for target in step.targets)]
        return " ".join([*parts, *([step.sound] if step.sound else [])])

    return [one(step) for step in decision.plan.steps]


def lines(decision: Decision, rule: Rule) -> list[Reason]:
    return [line.reason for line in decision.trace if line.rule is rule]


def blocked(pattern: str, until: datetime | None = None) -> Blocklist:
    return Blocklist((Blocked(pattern, "spam", "admin", NOON, until),))


@pytest.mark.parametrize(
    ("number", "pattern", "rejected"),
    [
        (CALLER, CALLER, True),
        (CALLER, "+7900*", True),
        (CALLER, "+7901*", False),
        ("", "hidden", True),
        (CALLER, "hidden", False),
    ],
)
def test_a_blocked_caller_is_rejected_before_anything_else(
    number: str, pattern: str, rejected: bool
) -> None:
    place = replace(setup(greeting="welcome"), blocked=blocked(pattern))
    decision = asked(place, NIGHT, number=number, client=client(vip=True))
    assert (steps(decision) == ["reject"]) is rejected
    assert (lines(decision, Rule.HOURS) == []) is rejected


def test_a_block_that_has_run_out_counts_no_more() -> None:
    place = replace(setup(), blocked=blocked(CALLER, NOON))
    assert lines(asked(place), Rule.BLOCKED) == [Reason.NUMBER_NOT_BLOCKED]


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (Action(ActionKind.PROMISE, "closed"), ["promise closed"]),
        (Action(ActionKind.VOICEMAIL, "", "1"), ["voicemail 1"]),
        (
            Action(ActionKind.NUMBER, "wait", "+79990001122"),
            ["say wait", "number +79990001122", "promise"],
        ),
        (Action(ActionKind.FALLBACK), ["fallback"]),
        (Action(ActionKind.END, "closed"), ["say closed", "end"]),
    ],
)
def test_out_of_hours_nobody_is_rung_not_even_the_manager(
    action: Action, expected: list[str]
) -> None:
    decision = asked(setup(closed=action), NIGHT, client=client())
    assert steps(decision) == expected
    assert lines(decision, Rule.HOURS) == [Reason.CLOSED]
    assert lines(decision, Rule.MANAGER) == []


def test_a_vip_is_put_through_out_of_hours_only_where_the_number_says_so() -> None:
    assert steps(asked(setup(), NIGHT, client=client(vip=True))) == ["promise"]
    decision = asked(setup(vip_always=True), NIGHT, client=client(vip=True))
    assert steps(decision)[0] == "desk 101"
    assert lines(decision, Rule.VIP) == [Reason.VIP_ALWAYS, Reason.IS_VIP]
    assert steps(asked(setup(vip_always=True), NIGHT, client=client())) == ["promise"]


@pytest.mark.parametrize("device", [closed_device(), closed_device(DID)])
def test_the_switch_closes_an_open_number(device: str) -> None:
    decision = asked(setup(), devices={device: "INUSE"})
    assert steps(decision) == ["promise"]
    assert lines(decision, Rule.CLOSED_NOW) == [Reason.SWITCHED_CLOSED]
    other = asked(setup(), devices={closed_device("7495"): "INUSE", device: "NOT_INUSE"})
    assert lines(other, Rule.CLOSED_NOW) == [Reason.NOT_SWITCHED]


def test_the_hours_of_the_group_hold_where_the_number_has_none() -> None:
    place = setup(hours=None)
    assert lines(asked(place, NIGHT), Rule.HOURS) == [Reason.NO_HOURS]
    duty = replace(place.groups["duty"], hours="office")
    grouped = replace(place, groups={**place.groups, "duty": duty})
    assert lines(asked(grouped, NIGHT), Rule.HOURS) == [Reason.CLOSED]


def test_the_greeting_comes_first_and_once() -> None:
    menu = Menu("choose", {"1": "support"})
    assert steps(asked(setup(greeting="hi")))[0] == "say hi"
    assert steps(asked(setup(greeting="hi", menu=menu))) == ["say hi", "menu choose"]
    assert "say hi" not in steps(asked(setup(greeting="hi", menu=menu), key="1"))


@pytest.mark.parametrize(
    ("key", "expected", "reason"),
    [
        ("", ["menu choose"], Reason.MENU_PLAYED),
        ("1", ["desk 104", "end"], Reason.KEY_PRESSED),
        (NO_KEY, ["desk 101", "mobile 101", "desk 102", "desk 103", "end"], Reason.NO_KEY),
        ("7", ["desk 101", "mobile 101", "desk 102", "desk 103", "end"], Reason.NO_KEY),
    ],
)
def test_the_menu(key: str, expected: list[str], reason: Reason) -> None:
    place = setup(menu=Menu("choose", {"1": "support", "2": "duty"}, 7, 3))
    decision = asked(place, key=key, client=client())
    assert steps(decision) == expected
    assert lines(decision, Rule.MENU) == [reason]
    if not key:
        (step,) = decision.plan.steps
        assert (step.keys, step.seconds, step.tries) == ("12", 7, 3)


TALKED = ("103", NOON - timedelta(days=3))


@pytest.mark.parametrize(
    ("days", "last", "first", "reason"),
    [
        (0, TALKED, "desk 101", Reason.RULE_OFF),
        (7, None, "desk 101", Reason.NEVER_TALKED),
        (2, TALKED, "desk 101", Reason.TALKED_TOO_LONG_AGO),
        (3, TALKED, "desk 103", Reason.TALKED_LATELY),
        (7, TALKED, "desk 103", Reason.TALKED_LATELY),
    ],
)
def test_who_talked_last_is_tried_before_the_manager(
    days: int, last: tuple[str, datetime] | None, first: str, reason: Reason
) -> None:
    decision = asked(setup(last_operator_days=days), client=client(), last=last)
    assert steps(decision)[0] == first
    assert lines(decision, Rule.LAST_OPERATOR)[0] is reason


def test_a_stranger_has_a_last_operator_too_and_nobody_rings_twice() -> None:
    decision = asked(setup(last_operator_days=7), last=TALKED)
    assert steps(decision) == ["desk 103", "mobile 103", "desk 102", "end"]
    assert decision.plan.steps[1].targets[0].line == "89161110003@city"
    gone = asked(setup(last_operator_days=7), last=("199", NOON))
    assert lines(gone, Rule.LAST_OPERATOR)[-1] is Reason.UNKNOWN_EXTENSION


def test_a_lead_is_called_one() -> None:
    decision = asked(setup(), client=client(stage=Stage.LEAD))
    assert lines(decision, Rule.CLIENT) == [Reason.CLIENT_IS_LEAD]


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"devices": {pause_device("101"): STATE_OF[PauseKind.BREAK]}}, Reason.PAUSED),
        ({"devices": {"Custom:DND101": "BUSY"}}, Reason.DO_NOT_DISTURB),
        ({"wrapping": frozenset({"101"})}, Reason.WRAP_UP),
    ],
)
def test_who_takes_no_calls_now_is_left_out_at_the_desk_and_on_the_mobile(
    known: dict[str, Any], reason: Reason
) -> None:
    decision = asked(setup(), client=client(), **known)
    assert steps(decision) == ["desk 102", "desk 103", "end"]
    assert lines(decision, Rule.MANAGER) == [reason]


def test_the_mobile_of_who_forwards_calls_comes_at_once() -> None:
    forwards = {"Custom:CF101": "BUSY"}
    decision = asked(setup(), client=client(), devices=forwards)
    assert steps(decision) == ["mobile 101", "desk 102", "desk 103", "end"]
    assert lines(decision, Rule.MANAGER_DESK) == [Reason.FORWARDED]


def test_who_forwards_calls_and_has_no_mobile_is_rung_at_the_desk() -> None:
    forwards = {"Custom:CF102": "BUSY", "Custom:CF103": "BUSY"}
    decision = asked(setup(), devices=forwards)
    assert steps(decision) == ["desk 102", "end"]
    assert Reason.FORWARDED in lines(decision, Rule.DUTY)


def test_who_forwards_calls_and_talks_is_left_alone() -> None:
    devices = {"Custom:CF101": "BUSY", "PJSIP/101": "INUSE"}
    decision = asked(setup(), client=client(), devices=devices)
    assert steps(decision) == ["desk 102", "desk 103", "end"]
    assert lines(decision, Rule.MANAGER_MOBILE) == [Reason.BUSY_AT_DESK]


def test_those_on_duty_who_make_a_pause_are_left_out() -> None:
    busy = {pause_device("102"): STATE_OF[PauseKind.LUNCH]}
    decision = asked(setup(), devices=busy)
    assert steps(decision) == ["desk 103", "end"]
    assert Reason.PAUSED in lines(decision, Rule.DUTY)
    both = busy | {pause_device("103"): STATE_OF[PauseKind.OFFLINE]}
    assert steps(asked(setup(), devices=both)) == ["fallback"]


def test_with_a_queue_the_queue_rings_those_on_duty() -> None:
    decision = asked(setup(QUEUE))
    (step, end) = decision.plan.steps
    assert (step.kind, step.targets[0].address, step.seconds, step.priority) == (
        Kind.QUEUE,
        "dutyline-duty",
        120,
        0,
    )
    assert end.kind is Kind.END
    assert lines(decision, Rule.DUTY)[-1] is Reason.QUEUE_RINGS
    vip = asked(setup(QUEUE), client=client(vip=True))
    assert next(step for step in vip.plan.steps if step.kind is Kind.QUEUE).priority == 10


def test_without_the_queue_on_the_pbx_those_on_duty_ring() -> None:
    gone = {"Queue:dutyline-duty": "INVALID"}
    decision = asked(setup(QUEUE), devices=gone)
    assert steps(decision) == ["desk 102 103", "end"]
    assert lines(decision, Rule.QUEUE) == [Reason.QUEUE_MISSING]
    there = asked(setup(QUEUE), devices={"Queue:dutyline-duty": "NOT_INUSE"})
    assert steps(there) == ["queue dutyline-duty", "end"]


def test_those_on_duty_ring_before_the_queue_where_the_step_is_set() -> None:
    rules = {StepName.DUTY: StepRule(seconds=12), StepName.QUEUE: StepRule(seconds=40)}
    decision = asked(setup(QUEUE, steps=rules))
    assert [(step.kind, step.seconds) for step in decision.plan.steps] == [
        (Kind.DESK, 12),
        (Kind.QUEUE, 40),
        (Kind.END, 0),
    ]


def test_nobody_waits_in_a_queue_that_nobody_can_answer() -> None:
    gone = {"PJSIP/102": "UNAVAILABLE", "PJSIP/103": "UNAVAILABLE"}
    place = setup(QUEUE)
    reachable = asked(place, devices=gone)  # one of them has a mobile
    assert steps(reachable) == ["queue dutyline-duty", "end"]
    gone |= {pause_device("103"): "BUSY"}
    decision = asked(place, devices=gone)
    assert steps(decision) == ["fallback"]
    assert lines(decision, Rule.QUEUE) == [Reason.QUEUE_EMPTY]


def test_a_caller_waits_for_those_who_rest_after_a_call() -> None:
    decision = asked(setup(QUEUE), wrapping=frozenset({"102", "103"}))
    assert steps(decision) == ["queue dutyline-duty", "end"]
    assert lines(decision, Rule.DUTY)[0] is Reason.WRAP_UP


def test_the_group_that_takes_over() -> None:
    decision = asked(setup(QUEUE, overflow="support"))
    assert steps(decision) == ["queue dutyline-duty", "desk 104", "end"]
    assert lines(decision, Rule.OVERFLOW)[0] is Reason.TAKES_OVER
    nobody = {pause_device("102"): "BUSY", pause_device("103"): "BUSY"}
    assert steps(asked(setup(overflow="support"), devices=nobody)) == ["desk 104", "end"]


def test_steps_have_their_own_seconds_order_announcement_and_switch() -> None:
    rules = {
        StepName.MANAGER_DESK: StepRule(seconds=5, announcement="@manager"),
        StepName.MANAGER_MOBILE: StepRule(enabled=False),
        StepName.DUTY: StepRule(strategy=Strategy.IN_TURN, announcement="@duty"),
    }
    decision = asked(setup(steps=rules), client=client())
    assert steps(decision) == [
        "say @manager",
        "desk 101",
        "desk 102",
        "say @duty",
        "desk 103",
        "end",
    ]
    assert decision.plan.steps[1].seconds == 5
    assert lines(decision, Rule.MANAGER_MOBILE) == [Reason.STEP_OFF]
    in_turn = asked(setup(steps={StepName.DUTY: rules[StepName.DUTY]}))
    assert steps(in_turn) == ["say @duty", "desk 102", "desk 103", "end"]


@pytest.mark.parametrize(
    ("action", "end"),
    [
        (Action(ActionKind.PROMISE, "sorry"), ["promise sorry"]),
        (Action(ActionKind.VOICEMAIL, "sorry", "1"), ["voicemail 1 sorry"]),
        (Action(ActionKind.NUMBER, "", "+79990001122", "city"), ["number +79990001122", "promise"]),
        (Action(ActionKind.FALLBACK), ["fallback"]),
        (Action(ActionKind.END, "sorry"), ["say sorry", "end"]),
    ],
)
def test_what_comes_when_nobody_answered(action: Action, end: list[str]) -> None:
    decision = asked(setup(unanswered=action))
    assert steps(decision) == ["desk 102&103".replace("&", " "), *end]
    if action.kind is ActionKind.NUMBER:
        assert decision.plan.steps[-2].targets[0].line == "89990001122@city"


def test_operators_see_what_was_dialled_and_who_calls() -> None:
    plan = asked(setup(), client=client()).plan
    assert (plan.line, plan.name) == ("Sales", "Romashka")


def test_every_rule_that_was_looked_at_is_told_in_order() -> None:
    decision = asked(setup(QUEUE, last_operator_days=7), client=client(), last=TALKED)
    order = list(Rule)
    seen = [line.rule for line in decision.trace]
    assert seen == sorted(seen, key=order.index)
    assert {Rule.DID, Rule.BLOCKED, Rule.CLIENT, Rule.CLOSED_NOW, Rule.HOURS, Rule.VIP} <= set(seen)
    assert {Rule.MENU, Rule.LAST_OPERATOR, Rule.MANAGER, Rule.DEPUTY} <= set(seen)
    assert {Rule.DUTY, Rule.QUEUE, Rule.OVERFLOW, Rule.LAST} <= set(seen)


def test_a_menu_that_leads_to_a_closed_group_ends_as_out_of_hours() -> None:
    place = setup(menu=Menu("choose", {"1": "support", "2": "duty"}))
    closed = replace(OFFICE, name="mornings", openings=(Opening(WEEK, time(6), time(8)),))
    support = replace(place.groups["support"], hours="mornings")
    hours = {**place.hours, "mornings": closed}
    place = replace(place, groups={**place.groups, "support": support}, hours=hours)
    assert steps(asked(place, key="1")) == ["promise"]
    assert steps(asked(place, key="2")) == ["desk 102 103", "end"]
    taking_over = replace(place.dids[DID], overflow="support", menu=None)
    over = asked(replace(place, dids={DID: taking_over}))
    assert steps(over) == ["desk 102 103", "end"]


def test_nobody_waits_twice_in_the_queue_of_one_group() -> None:
    place = setup(QUEUE, overflow="duty", menu=Menu("choose", {"1": "duty"}))
    assert steps(asked(place, key="1")) == ["queue dutyline-duty", "end"]


def crowd(count: int, **rules: Any) -> Setup:
    place = setup(QUEUE, **rules)
    who = [str(200 + number) for number in range(count)]
    operators = {one: Operator(one, f"N{one}", f"{one}-" + "x" * 33, "+79160000000") for one in who}
    shifts = tuple(Shift(one, WEEK, time(0), time(0)) for one in who)
    duty = Group("duty", Roster("UTC", shifts), QUEUE)
    return replace(place, operators=operators, groups={**place.groups, "duty": duty})


def test_a_plan_that_is_too_long_keeps_its_queue_and_its_end() -> None:
    rules = {StepName.DUTY: StepRule(strategy=Strategy.IN_TURN, announcement="wait")}
    decision = asked(crowd(40, steps=rules, unanswered=Action(ActionKind.PROMISE, "sorry")))
    kinds = [step.kind for step in decision.plan.steps]
    assert len(kinds) == 24
    assert kinds[-2:] == [Kind.QUEUE, Kind.PROMISE]
    assert kinds.count(Kind.SAY) == 1
    assert Reason.TOO_MANY_STEPS in lines(decision, Rule.LAST)


def test_phones_that_ring_at_once_fit_into_one_variable() -> None:
    decision = asked(crowd(40, steps={StepName.DUTY: StepRule()}))
    rings = [step for step in decision.plan.steps if step.kind is Kind.DESK]
    assert sum(len(step.targets) for step in rings) == 40
    for step in rings:
        assert len("&".join(target.address for target in step.targets)) <= 840
        assert len(step.targets) <= 25


def test_a_number_that_its_trunk_cannot_write_costs_a_step_not_the_plan() -> None:
    place = setup()
    odd = replace(place.operators["103"], mobile="+9990001112")
    place = replace(place, operators={**place.operators, "103": odd})
    gone = {f"PJSIP/{one}": "UNAVAILABLE" for one in place.operators}
    (step, _) = asked(place, devices=gone).plan.steps
    assert (step.kind, step.targets[0].line) == (Kind.MOBILE, "")
