"""Who calls whom: fair to who waits on the line, to who waits longest, and to operators."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from telephony.domain.callback.cases import Case, Source
from telephony.domain.callback.dispatch import Free, dispatch, free_operators, unspoken
from telephony.domain.callback.results import Why
from telephony.domain.live import OperatorActivity, OperatorState
from tests.property.callback_calls import CLIENTS, setup_of

NOON = datetime(2026, 3, 6, 9, tzinfo=UTC)  # in Moscow, on a Friday
SALES, SUPPORT = frozenset({"sales"}), frozenset({"support"})
A, B, C = Free("101", SALES), Free("102", SALES), Free("103", SUPPORT)
BOTH = Free("104", SALES | SUPPORT)


def case(nth: int, minutes: float, **changes: object) -> Case:
    """Return a case of sales whose client has waited for so many minutes."""
    at = NOON - timedelta(minutes=minutes)
    values: dict[str, object] = {"id": nth, "group": "sales", **changes}
    return Case(CLIENTS[0], Source.MISSED, Why.RINGING, at, at, at, **values)  # type: ignore[arg-type]


def matched(
    due: list[Case], free: list[Free], room: int = 9, **waiting: list[float]
) -> list[tuple[int, str]]:
    line = {
        group: [NOON - timedelta(minutes=ago) for ago in callers]
        for group, callers in waiting.items()
    }
    found = dispatch(due, free, line, NOON, room)
    return [(one.case.id, one.operator.extension) for one in found]


def test_who_waits_longest_comes_first_and_no_more_than_are_free() -> None:
    due = [case(1, 5), case(2, 30), case(3, 10)]
    assert matched(due, [A, B]) == [(2, "101"), (3, "102")]
    assert matched(due, [A, B], room=1) == [(2, "101")]
    assert matched(due, []) == []


def test_a_vip_comes_before_who_waits_longer() -> None:
    assert matched([case(1, 60), case(2, 1, priority=1)], [A]) == [(2, "101")]


def test_a_caller_on_the_line_comes_before_a_case_of_later_origin() -> None:
    assert matched([case(1, 5)], [A], sales=[6]) == []
    assert matched([case(1, 5)], [A], sales=[5]) == [], "at once: who is on the line comes first"
    assert matched([case(1, 5)], [A], sales=[4]) == [(1, "101")]
    assert matched([case(1, 5), case(2, 4)], [A, B], sales=[6]) == [(1, "101")]
    assert matched([case(1, 5)], [A], support=[6]) == [(1, "101")], "not one of another group"


def test_an_operator_whom_nobody_waits_for_is_taken_first() -> None:
    due = [case(1, 5, group="support")]
    assert matched(due, [BOTH, C], sales=[9]) == [(1, "103")]


def test_a_group_with_callers_on_the_line_does_not_hold_up_the_others() -> None:
    due = [case(nth, 5) for nth in range(40)] + [case(99, 1, group="support")]
    assert matched(due, [A, C], sales=[9]) == [(99, "103")]
    line = {"sales": [NOON]}
    assert unspoken([A, C], line) == [C]
    assert unspoken([A, B, C], line) == [A, B, C]
    assert unspoken([BOTH, C], line) == [C]


@pytest.mark.parametrize(
    ("seconds", "whose"), [(-1, "102"), (0, "102"), (1, None)], ids=["over", "just over", "not yet"]
)
def test_a_case_is_the_owners_alone_until_then(seconds: int, whose: str | None) -> None:
    until = NOON + timedelta(seconds=seconds)
    mine = case(1, 5, owner="101", anyone_at=until)
    assert matched([mine], [B]) == ([] if whose is None else [(1, whose)])
    assert matched([mine], [B, A]) == [(1, "101")], "and theirs first afterwards"


def test_who_claimed_a_case_is_asked_before_its_owner() -> None:
    until = NOON + timedelta(minutes=1)
    theirs = case(1, 5, owner="101", claimed_by="102", anyone_at=until)
    assert matched([theirs], [A]) == []
    assert matched([theirs], [A, B]) == [(1, "102")]
    over = case(1, 5, owner="101", claimed_by="102", anyone_at=NOON)
    assert matched([over], [A, B]) == [(1, "102")]
    assert matched([over], [A]) == [(1, "101")]


def test_an_operator_without_duty_has_only_their_own_cases() -> None:
    nobody = Free("105")
    assert matched([case(1, 5), case(2, 4, owner="105")], [nobody]) == [(2, "105")]
    assert matched([case(1, 5, group=None)], [nobody]) == []
    assert matched([case(1, 5, group=None)], [C]) == [(1, "103")], "of no group: anybody on duty"


def _free(
    at: datetime, *taken: str, **doing: tuple[str, str, str | None]
) -> list[tuple[str, bool]]:
    states = [
        OperatorState(name[1:], "", OperatorActivity(state), 0, call, pause)
        for name, (state, pause, call) in doing.items()
    ]
    found = free_operators(setup_of(), states, at, taken)
    return [(one.extension, one.mobile) for one in found]


FREE = ("free", "", None)


def test_who_is_free() -> None:
    assert _free(NOON, _101=FREE, _102=FREE) == [("101", False), ("102", False)]
    assert _free(NOON, "101", _101=FREE, _102=FREE) == [("102", False)]


@pytest.mark.parametrize(
    "doing",
    [
        ("free", "lunch", None),
        ("free", "wrap_up", None),
        ("paused", "break", None),
        ("paused", "", None),
        ("busy", "", "1.1"),
        ("ringing", "", "1.1"),
        ("free", "", "1.1"),
        ("away", "", None),
        ("unknown", "", None),
    ],
)
def test_who_is_not(doing: tuple[str, str, str | None]) -> None:
    assert _free(NOON, _101=doing) == []


def test_a_mobile_counts_when_there_is_no_desk_phone_and_comes_last() -> None:
    assert _free(NOON, _102=("away", "", None), _103=FREE) == [("103", False), ("102", True)]
    assert _free(NOON, _102=("away", "break", None)) == []
    night = NOON + timedelta(hours=12)
    assert _free(night, _102=("away", "", None)) == []


def test_lunch_and_the_end_of_the_shift() -> None:
    lunch = NOON + timedelta(hours=1, minutes=30)  # 13:30 in Moscow
    assert _free(lunch, _101=FREE, _102=FREE) == [("102", False)]
    assert _free(NOON + timedelta(hours=12), _101=FREE) == []
    assert _free(NOON, _999=FREE) == [], "nobody's phone"
