"""Records of sequences that are hard to get from phones: made by hand, in seconds."""

from __future__ import annotations

import pytest

from telephony.domain.call import Call, Phase, fold
from telephony.domain.events import (
    CallbackAsked,
    CallEvent,
    DialBegan,
    DialEnded,
    FellBack,
    Finished,
    HangupAsked,
    HungUp,
    Joined,
    Left,
    Offered,
    ScreenBegan,
    Screened,
    StepEnded,
    Vanished,
)
from telephony.domain.record import (
    CallRecord,
    Context,
    Disposition,
    Moment,
    MomentKind,
    Outcome,
    Side,
    record,
)

ID = "1795331600.0"
TRUNK = "PJSIP/trunk-00000000"


def s(seconds: float) -> int:
    return 1_795_331_600_000_000 + round(seconds * 1e6)


def offered(at: float = 0) -> Offered:
    return Offered(s(at), ID, TRUNK, "74951234567", "+79001112233")


def rings(at: float, leg: str, who: str = "101") -> DialBegan:
    return DialBegan(s(at), ID, leg, f"PJSIP/{who}-{leg}", who)


def stops(at: float, leg: str, status: str, who: str = "101") -> DialEnded:
    return DialEnded(s(at), ID, leg, f"PJSIP/{who}-{leg}", status)


def joins(at: float, leg: str, who: str = "101", bridge: str = "b") -> Joined:
    return Joined(s(at), ID, leg, f"PJSIP/{who}-{leg}", bridge)


def leaves(at: float, leg: str, who: str = "101", bridge: str = "b") -> Left:
    return Left(s(at), ID, leg, f"PJSIP/{who}-{leg}", bridge)


def asks(at: float, leg: str = ID, who: str = "trunk") -> HangupAsked:
    return HangupAsked(s(at), ID, leg, f"PJSIP/{who}-{leg}")


def gone(at: float, leg: str = ID, cause: int = 16, sip: int = 0, who: str = "101") -> HungUp:
    return HungUp(s(at), ID, leg, f"PJSIP/{who}-{leg}", cause, sip)


def made(*events: CallEvent) -> CallRecord:
    call = Call(ID)
    for event in events:
        call = fold(call, event)
    return record(call, Context(endpoints={"101": "101", "102": "102"}))


def test_times_of_an_answered_call() -> None:
    seen = made(
        offered(), rings(1, "1"), stops(4, "1", "ANSWER"), joins(4.1, "1"), asks(10),
        leaves(10, "1"), gone(10.1, "1"), gone(10.2),
    )  # fmt: skip
    assert (seen.wait_ms, seen.ring_ms, seen.talk_ms) == (4100, 3100, 5900)
    assert seen.disposition is Disposition.ANSWERED
    assert seen.ended_at == s(10)


def test_who_hung_up_after_a_transfer_is_not_the_first_operator() -> None:
    first = (offered(), rings(1, "1"), joins(2, "1"), asks(5, "1", "101"), leaves(5, "1"))
    second = (rings(5.1, "2", "102"), joins(6, "2", "102", "c"))
    by_caller = made(*first, *second, asks(9), leaves(9, "2", "102", "c"), gone(9.1))
    assert by_caller.hung_up_by is Side.CALLER
    assert [leg.talk_ms for leg in by_caller.legs] == [3000, 3000]
    assert by_caller.talk_ms == 6000
    by_second = made(*first, *second, asks(9, "2", "102"), leaves(9, "2", "102", "c"), gone(9.2))
    assert by_second.hung_up_by is Side.OPERATOR


def test_talk_time_of_two_operators_at_once_is_counted_once() -> None:
    seen = made(
        offered(), joins(1, "1"), joins(3, "2", "102"), leaves(5, "1"), leaves(8, "2", "102"),
        gone(8.1),
    )  # fmt: skip
    assert seen.talk_ms == 7000
    assert [leg.talk_ms for leg in seen.legs] == [4000, 5000]


@pytest.mark.parametrize(
    ("events", "phase"),
    [
        ((asks(2),), "waiting"),
        ((rings(1, "1"), asks(2)), "ringing"),
        ((rings(1, "1"), StepEnded(s(1.6), ID, 1, "NOANSWER"), asks(2)), "waiting"),
        ((rings(1, "1"), ScreenBegan(s(1.5), ID, "1"), asks(2)), "connecting"),
    ],
)  # fmt: skip
def test_the_phase_in_which_a_caller_gave_up(events: tuple[CallEvent, ...], phase: str) -> None:
    seen = made(offered(), *events, gone(2.1))
    assert (seen.disposition, seen.abandoned_in) == (Disposition.ABANDONED, phase)
    assert seen.hung_up_by is Side.CALLER
    assert seen.wait_ms == 2000


@pytest.mark.parametrize(
    ("leg", "outcome", "disposition"),
    [
        ((stops(2, "1", "BUSY"), gone(2, "1", 17, 486)), Outcome.BUSY, Disposition.BUSY),
        ((stops(2, "1", "NOANSWER"), gone(2, "1", 21, 603)), Outcome.DECLINED, Disposition.BUSY),
        ((stops(2, "1", "NOANSWER"), gone(2, "1", 0)), Outcome.NO_ANSWER, Disposition.NO_ANSWER),
        ((stops(2, "1", "CHANUNAVAIL"), gone(2, "1", 1, 404)), Outcome.UNREACHABLE,
         Disposition.FAILED),
        ((stops(2, "1", "CONGESTION"), gone(2, "1", 34, 503)), Outcome.UNREACHABLE,
         Disposition.FAILED),
        ((stops(2, "1", "NOANSWER"), gone(2, "1", 20, 480)), Outcome.UNREACHABLE,
         Disposition.FAILED),
        ((stops(2, "1", "ANSWER"), Screened(s(3), ID, "1", False), gone(3, "1")), Outcome.REFUSED,
         Disposition.NO_ANSWER),
    ],
)  # fmt: skip
def test_outcomes_of_a_leg_and_what_they_make_of_the_call(
    leg: tuple[CallEvent, ...], outcome: Outcome, disposition: Disposition
) -> None:
    seen = made(offered(), rings(1, "1"), *leg, StepEnded(s(4), ID, 1, "X"), gone(4.1, cause=17))
    assert [each.outcome for each in seen.legs] == [outcome]
    assert seen.disposition is disposition
    assert seen.hung_up_by is Side.SYSTEM


def test_nothing_dialled_is_failed_and_vanished_is_lost() -> None:
    assert made(offered(), gone(1)).disposition is Disposition.FAILED
    lost = made(offered(), rings(1, "1"), Vanished(s(60), ID))
    assert lost.disposition is Disposition.LOST
    talked = made(offered(), rings(1, "1"), joins(2, "1"), Vanished(s(60), ID))
    assert (talked.disposition, talked.talk_ms) == (Disposition.ANSWERED, 58_000)
    ended = made(offered(), asks(2), gone(2.1), Vanished(s(60), ID))
    assert (ended.disposition, ended.ended_at) == (Disposition.ABANDONED, s(2))


def test_who_asks_to_be_called_back_has_not_given_up() -> None:
    asked = (offered(), rings(1, "1"), CallbackAsked(s(3), ID, "dutyline-sales"))
    for end in ((gone(5),), (asks(4), gone(5)), (Vanished(s(60), ID),)):
        seen = made(*asked, *end)
        assert (seen.disposition, seen.abandoned_in) == (Disposition.CALLBACK_ASKED, None)
        assert seen.moments == (
            Moment(s(3), MomentKind.CALLBACK_ASKED, (("queue", "dutyline-sales"),)),
        )
    answered = made(offered(), rings(1, "1"), joins(2, "1"), *asked[2:], gone(5))
    assert answered.disposition is Disposition.ANSWERED


def test_a_later_event_proves_that_a_call_had_not_vanished() -> None:
    before = (offered(), rings(1, "1"), joins(2, "1"))
    after = (asks(62), gone(62.1))
    want = made(*before, *after)
    assert want.talk_ms == 60_000
    for early in (Vanished(s(50), ID), Vanished(s(62) - 1, ID)):
        assert made(*before, early, *after) == want
        assert made(*before, *after, early) == want, "in any order"
        assert made(early, *before, *after) == want


def test_the_summary_alone_makes_a_record() -> None:
    end = Finished(
        s(30), ID, TRUNK, "74951234567", "+79001112233", 1_795_331_600, 2, "ANSWER", 20_000,
        "PJSIP/102-9", "PJSIP/102-9",
    )  # fmt: skip
    seen = made(end)
    assert (seen.disposition, seen.talk_ms, seen.wait_ms) == (Disposition.ANSWERED, 20_000, 10_000)
    assert seen.answered_by == "102"
    assert seen.hung_up_by is Side.OPERATOR
    fell = made(FellBack(s(1), ID, "late"), end)
    assert (fell.fallback, fell.answered_on) == ("late", "fallback")


def test_what_cannot_be_is_an_anomaly_and_nothing_worse() -> None:
    call = fold(fold(Call(ID), leaves(1, "1")), offered(2))
    assert call.state.anomalies == ((Phase.NEW, "operator_left"),)
    assert call.state.phase is Phase.WAITING


def test_a_refused_mobile_did_not_answer_though_the_summary_names_it_as_dialled() -> None:
    end = Finished(
        s(9), ID, TRUNK, "74951234567", "+79001112233", 1_795_331_600, 3, "BUSY", 0,
        "PJSIP/trunk-1", "",
    )  # fmt: skip
    seen = made(
        offered(), rings(1, "1", "trunk"), ScreenBegan(s(2), ID, "1"),
        stops(2, "1", "ANSWER", "trunk"), Screened(s(8), ID, "1", False),
        gone(8, "1", who="trunk"), end, gone(9.1, cause=17),
    )  # fmt: skip
    assert [leg.outcome for leg in seen.legs] == [Outcome.REFUSED]
    assert (seen.disposition, seen.answered_by) == (Disposition.NO_ANSWER, None)


def test_the_operator_behind_a_queues_local_channel_is_who_answered() -> None:
    seen = made(
        offered(), joins(2, "1", "nobody"), joins(2.1, "2", "102"), leaves(9, "1", "nobody"),
        leaves(9, "2", "102"), gone(9.1),
    )  # fmt: skip
    assert seen.answered_by == "102"
