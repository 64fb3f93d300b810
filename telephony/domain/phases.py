"""Where a call can be and what moves it: one table, from which the documentation is drawn."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """Where a call is. The first three waiting phases name where a caller gave up."""

    NEW = "new"
    WAITING = "waiting"
    RINGING = "ringing"
    CONNECTING = "connecting"
    TALKING = "talking"
    AFTER = "after"
    ENDED = "ended"


class Kind(StrEnum):
    """What an event means for the call as a whole: the columns of the transition table.

    In a call that an operator placed, "operator" stands for every leg but the one it began with;
    `PARTIES_GONE` is its end: nobody is left to talk to.
    """

    OFFERED = "offered"
    DIAL_BEGAN = "dial_began"
    PICKED_UP = "picked_up"
    DIAL_FAILED = "dial_failed"
    SCREEN_BEGAN = "screen_began"
    SCREEN_PASSED = "screen_passed"
    SCREEN_REFUSED = "screen_refused"
    STEP_ENDED = "step_ended"
    FELL_BACK = "fell_back"
    OPERATOR_JOINED = "operator_joined"
    OPERATOR_LEFT = "operator_left"
    CALLER_BRIDGED = "caller_bridged"
    OPERATOR_GONE = "operator_gone"
    HELD = "held"
    RESUMED = "resumed"
    TRANSFERRED = "transferred"
    TAKEN_OVER = "taken_over"
    PARKED = "parked"
    UNPARKED = "unparked"
    CALLBACK_ASKED = "callback_asked"
    VOICEMAIL_LEFT = "voicemail_left"
    ORDERED = "ordered"
    PARTIES_GONE = "parties_gone"
    CALLER_GONE = "caller_gone"
    RECALLED = "recalled"
    VANISHED = "vanished"


_SAME = (
    Kind.OFFERED,
    Kind.DIAL_FAILED,
    Kind.SCREEN_PASSED,
    Kind.SCREEN_REFUSED,
    Kind.STEP_ENDED,
    Kind.FELL_BACK,
    Kind.OPERATOR_LEFT,
    Kind.CALLER_BRIDGED,
    Kind.OPERATOR_GONE,
    Kind.HELD,
    Kind.RESUMED,
    Kind.TRANSFERRED,
    Kind.TAKEN_OVER,
    Kind.PARKED,
    Kind.UNPARKED,
    Kind.CALLBACK_ASKED,
    Kind.VOICEMAIL_LEFT,
    Kind.ORDERED,
    Kind.RECALLED,
)
_ENDS = dict.fromkeys((Kind.CALLER_GONE, Kind.PARTIES_GONE, Kind.VANISHED), Phase.ENDED)


def _row(phase: Phase, same: tuple[Kind, ...], **moves: Phase) -> dict[Kind, Phase]:
    stay = dict.fromkeys(same, phase)
    return stay | {Kind(kind): target for kind, target in moves.items()} | _ENDS


# The one table: a pair that is not here leaves the phase as it is and counts as an anomaly.
TRANSITIONS: dict[Phase, dict[Kind, Phase]] = {
    # A call that our dialplan does not announce begins with its first ringing.
    Phase.NEW: _row(
        Phase.NEW,
        (Kind.DIAL_FAILED, Kind.CALLER_BRIDGED, Kind.ORDERED),
        offered=Phase.WAITING,
        recalled=Phase.WAITING,
        dial_began=Phase.RINGING,
        picked_up=Phase.CONNECTING,
        operator_joined=Phase.TALKING,
    ),
    Phase.WAITING: _row(
        Phase.WAITING,
        _SAME,
        dial_began=Phase.RINGING,
        picked_up=Phase.CONNECTING,
        screen_began=Phase.CONNECTING,
        operator_joined=Phase.TALKING,
    ),
    Phase.RINGING: _row(
        Phase.RINGING,
        _SAME,
        dial_began=Phase.RINGING,
        picked_up=Phase.CONNECTING,
        screen_began=Phase.CONNECTING,
        step_ended=Phase.WAITING,
        fell_back=Phase.WAITING,
        operator_joined=Phase.TALKING,
    ),
    Phase.CONNECTING: _row(
        Phase.CONNECTING,
        (*_SAME, Kind.PICKED_UP, Kind.SCREEN_BEGAN),
        dial_began=Phase.RINGING,
        step_ended=Phase.WAITING,
        fell_back=Phase.WAITING,
        operator_joined=Phase.TALKING,
    ),
    Phase.TALKING: _row(
        Phase.TALKING,
        (*_SAME, Kind.DIAL_BEGAN, Kind.PICKED_UP, Kind.SCREEN_BEGAN),
        operator_joined=Phase.TALKING,
        operator_left=Phase.AFTER,
        operator_gone=Phase.AFTER,
    ),
    Phase.AFTER: _row(
        Phase.AFTER,
        _SAME,
        dial_began=Phase.AFTER,
        picked_up=Phase.AFTER,
        screen_began=Phase.AFTER,
        operator_joined=Phase.TALKING,
    ),
    Phase.ENDED: dict.fromkeys(Kind, Phase.ENDED),
}
