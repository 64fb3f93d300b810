"""An announced call gets its plan: decide from memory and send, whatever fails."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog

from telephony.ami import actions
from telephony.ami.client import AmiClient, AmiError
from telephony.domain.events import Offered
from telephony.domain.routing import (
    Decision,
    Kind,
    Plan,
    Question,
    Rule,
    Situation,
    Step,
    decide,
)
from telephony.domain.setup import Setup

log = structlog.get_logger(__name__)

_TO_FALLBACK = Decision(Plan((Step(Kind.FALLBACK, Rule.LAST),)), ())


def answer(
    ami: AmiClient,
    event: Offered,
    number: str | None,
    situation: Situation,
    setup: Setup,
) -> Decision:
    """Decide on a call and send the plan; whatever fails, the caller is not left waiting.

    `number` is the caller's in full, None when it is hidden or no number.
    """
    at = datetime.fromtimestamp(event.at / 1e6, UTC)
    try:
        question = Question(event.did, number or event.number, at, event.key)
        decision = decide(question, situation, setup)
    except Exception:
        log.exception("listener.decide_failed", call=event.call)
        decision = _TO_FALLBACK
    try:
        _send(ami, event.channel, decision)
    except AmiError as error:
        log.warning("listener.plan_not_sent", call=event.call, error=str(error))
    return decision


def _send(ami: AmiClient, channel: str, decision: Decision) -> None:
    """Send a plan; one that cannot be sent becomes the fallback. Raises AmiError."""
    try:
        ami.send(actions.plan(channel, decision.plan))
    except actions.BadValue as error:
        log.error("listener.plan_unsendable", error=str(error))
        ami.send(actions.plan(channel, _TO_FALLBACK.plan))
