"""What a call means for callbacks: missed and why, a contact or none, how a try ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from telephony.domain.callback.results import Ended, Why, contact_of, ended_of, why_missed
from telephony.domain.callback.rules import CallbackRules
from telephony.domain.record import Direction, Disposition, LegRecord, Moment, MomentKind, Outcome
from telephony.domain.routing import Rule
from tests.property.callback_calls import (
    BEGIN,
    CLIENTS,
    MISSED,
    TRIED,
    a_call,
    decision,
    leg,
    missed,
    talk,
    tried,
)

RULES = CallbackRules()
CLIENT = CLIENTS[0]
ORDER = "dutyline-order-1772790000.7"
PROMISED = (Moment(1, MomentKind.PROMISED),)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("ringing", Why.RINGING),
        ("waiting", Why.WAITING),
        ("short", Why.SHORT),
        ("nobody", Why.NOBODY),
        ("busy", Why.NOBODY),
        ("failed", Why.NOBODY),
        ("lost", Why.LOST),
        ("voicemail", Why.VOICEMAIL),
        ("asked", Why.ASKED),
        ("closed", Why.CLOSED),
        ("promise in silence", Why.ASKED),
    ],
)
def test_why_a_call_was_missed(kind: str, why: Why) -> None:
    assert why_missed(missed(kind, "1.1", CLIENT, BEGIN), RULES) is why


def test_each_kind_of_missed_call_is_in_the_table() -> None:
    assert len(MISSED) == 11


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"disposition": Disposition.BLOCKED, "abandoned_in": None}, None),
        ({"disposition": Disposition.NOT_PLACED, "abandoned_in": None}, None),
        ({"disposition": Disposition.LOST, "answered_at": 5}, None),
        ({"direction": Direction.OUT}, None),
        ({"direction": Direction.INTERNAL}, None),
        ({"wait_ms": 4_999}, Why.SHORT),
        ({"wait_ms": 5_000}, Why.RINGING),
        ({"wait_ms": 1_000, "moments": PROMISED}, Why.ASKED),
        ({"wait_ms": 1_000, "disposition": Disposition.NO_ANSWER}, Why.NOBODY),
        ({"abandoned_in": "connecting"}, Why.WAITING),
        ({"disposition": Disposition.NO_ANSWER, "decision": None}, Why.NOBODY),
        (
            {"disposition": Disposition.CALLBACK_ASKED, "decision": decision(last=Rule.HOURS)},
            Why.CLOSED,
        ),
        (
            {"disposition": Disposition.VOICEMAIL, "decision": decision(last=Rule.HOURS)},
            "voicemail",
        ),
    ],
)
def test_the_edges_of_that(changes: dict[str, object], why: Why | None) -> None:
    record = replace(a_call("1.1", CLIENT, BEGIN), **changes)  # type: ignore[arg-type]
    assert why_missed(record, RULES) == why


def test_every_disposition_of_a_call_in_is_known() -> None:
    for one in Disposition:
        made = a_call("1.1", CLIENT, BEGIN, disposition=one)
        missed_or_not = why_missed(made, RULES)
        never = (Disposition.ANSWERED, Disposition.BLOCKED, Disposition.NOT_PLACED)
        assert (missed_or_not is None) is (one in never), one


@pytest.mark.parametrize(
    ("call_id", "ours", "milliseconds", "key", "counts"),
    [
        ("1.1", False, 4_999, False, False),
        ("1.1", False, 5_000, False, True),
        ("1.1", True, 14_999, False, False),
        ("1.1", True, 15_000, False, True),
        (ORDER, True, 14_999, False, False),
        (ORDER, True, 5_000, True, True),
        (ORDER, True, 4_999, True, False),
        ("1.1", True, 5_000, True, False),  # from a desk phone nobody is asked for a key
    ],
)
def test_how_long_a_conversation_counts(
    call_id: str, ours: bool, milliseconds: int, key: bool, counts: bool
) -> None:
    record = replace(talk(call_id, CLIENT, BEGIN, 1, "102", ours=ours), talk_ms=milliseconds)
    found = contact_of(record, replace(RULES, client_key=key))
    assert (found is not None) is counts
    if found is not None:
        assert (found.operator, found.ours, found.number) == ("102", ours, CLIENT)


@pytest.mark.parametrize(
    "changes", [{"direction": Direction.INTERNAL}, {"answered_at": None}, {"number": ""}]
)
def test_what_is_no_contact(changes: dict[str, object]) -> None:
    record = talk("1.1", CLIENT, BEGIN, 60, "101")
    assert contact_of(replace(record, **changes), RULES) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("how", TRIED)
def test_how_a_try_ended_operator_first(how: Ended) -> None:
    assert ended_of(tried(how, ORDER, CLIENT, BEGIN, "101"), RULES) is how


def _ended(disposition: Disposition, *legs: LegRecord, answered: bool = False) -> Ended:
    record = a_call(
        ORDER,
        CLIENT,
        BEGIN,
        "",
        disposition=disposition,
        direction=Direction.OUT,
        legs=legs,
        answered_at=5 if answered else None,
    )
    return ended_of(record, RULES)


_BY_OPERATOR = {
    Outcome.BUSY: Ended.OPERATOR_BUSY,
    Outcome.DECLINED: Ended.OPERATOR_DECLINED,
    Outcome.REFUSED: Ended.OPERATOR_DECLINED,
    Outcome.UNREACHABLE: Ended.OPERATOR_UNREACHABLE,
    Outcome.CANCELLED: Ended.OPERATOR_NO_ANSWER,
    Outcome.NO_ANSWER: Ended.OPERATOR_NO_ANSWER,
    Outcome.ACCEPTED: Ended.OPERATOR_GONE,
    Outcome.TALKED: Ended.OPERATOR_GONE,
}
_BY_CLIENT = {
    Outcome.BUSY: Ended.BUSY,
    Outcome.DECLINED: Ended.DECLINED,
    Outcome.REFUSED: Ended.NOT_A_PERSON,
    Outcome.UNREACHABLE: Ended.UNREACHABLE,
    Outcome.CANCELLED: Ended.OPERATOR_GONE,
    Outcome.NO_ANSWER: Ended.NO_ANSWER,
    Outcome.ACCEPTED: Ended.WAITED_IN_VAIN,
    Outcome.TALKED: Ended.NOT_A_PERSON,
}


@pytest.mark.parametrize("outcome", Outcome)
def test_each_end_of_the_operators_leg(outcome: Outcome) -> None:
    assert _ended(Disposition.NOT_PLACED, leg(outcome)) is _BY_OPERATOR[outcome]


@pytest.mark.parametrize("outcome", Outcome)
def test_each_end_of_the_clients_leg_operator_first(outcome: Outcome) -> None:
    legs = (leg(Outcome.ACCEPTED), leg(outcome, "outside", None))
    assert _ended(Disposition.NO_ANSWER, *legs) is _BY_CLIENT[outcome]


@pytest.mark.parametrize("outcome", Outcome)
def test_each_end_of_the_clients_leg_client_first(outcome: Outcome) -> None:
    want = _BY_CLIENT[outcome]
    # Nobody hangs up on a client who is called first.
    want = Ended.NO_ANSWER if want is Ended.OPERATOR_GONE else want
    assert _ended(Disposition.NO_ANSWER, leg(outcome, "outside", None)) is want


def test_a_client_who_was_called_first_and_talked_too_short() -> None:
    legs = (leg(Outcome.TALKED, "outside", None), leg(Outcome.TALKED))
    assert _ended(Disposition.ANSWERED, *legs, answered=True) is Ended.NOT_A_PERSON


@pytest.mark.parametrize("status", ["LATE", "TWICE", "ONTHELINE", "NOTRUNK"])
@pytest.mark.parametrize("told", [Disposition.NOT_PLACED, Disposition.FAILED])
def test_what_the_dialplan_refused_was_not_dialled(status: str, told: Disposition) -> None:
    """Whoever was to be called first: a client's order that is refused has failed."""
    moment = Moment(1, MomentKind.ORDER_REFUSED, (("status", status),))
    record = a_call(ORDER, CLIENT, BEGIN, "", disposition=told, moments=(moment,), legs=())
    assert ended_of(record, RULES) is Ended.NOT_DIALLED


def test_a_try_that_is_lost_is_unknown_whatever_was_seen() -> None:
    assert _ended(Disposition.LOST, leg(Outcome.BUSY, "outside", None)) is Ended.UNKNOWN
    assert _ended(Disposition.FAILED, leg(Outcome.ACCEPTED)) is Ended.UNKNOWN
