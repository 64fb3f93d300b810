"""The call itself: a try is checked once more, written down as sent, and ordered from the PBX once.

It is written down before it is sent. Whatever breaks after that, nobody sends it again: what became
of it is heard by the listener, or looked up.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from telephony.ami import actions
from telephony.ami.actions import ACCEPT_SECONDS, BadValue
from telephony.ami.client import AmiError
from telephony.ami.oneshot import OneShot
from telephony.ami.oneshot import session as ami_session
from telephony.callbacks.alarms import alarm_of_bar
from telephony.callbacks.desk import Desk
from telephony.callbacks.standing import is_watched, standing_for
from telephony.domain.callback.cases import Case, claimed
from telephony.domain.callback.quiet import loud_until
from telephony.domain.callback.results import Ended
from telephony.domain.callback.rules import CallbackRules, First, Shown
from telephony.domain.callback.trying import as_before, put_off, settled
from telephony.domain.callback.verdicts import GO, Bar, Standing, Verdict, may_dial, verdict
from telephony.domain.live import OperatorActivity
from telephony.domain.orders import Order, Placing, channel_ids
from telephony.domain.setup import Setup
from telephony.languages import language_for
from telephony.store.attempts import (
    Attempt,
    AttemptState,
    finish_attempt,
    get_attempt,
    send_attempt,
)
from telephony.store.cases import get_case, save_case
from telephony.store.engine import writing
from telephony.store.live import list_operator_states
from telephony.store.tables import in_turn
from telephony.words import LANGUAGES

log = structlog.get_logger(__name__)

# The PBX begins no order that reaches it later than this.
WINDOW_SECONDS = 15
# Nothing of a try begins after this: then somebody looks what became of it.
_UNSEEN = timedelta(seconds=WINDOW_SECONDS + 5)


def place(desk: Desk, key: int, fence: int) -> None:
    """Check a try and order its call; a job that is not the row's any more does nothing."""
    if desk.dialler is None:
        raise AmiError("no manager user to place calls with")
    try:
        with ami_session(desk.dialler) as ami:
            # Its clock, so that it can tell an order that comes late.
            clock = _epoch(ami)
            wanted = _decide(desk, key, fence, clock)
            if wanted is not None:
                _send(desk, ami, key, wanted)
    except AmiError as error:
        log.warning("callback.not_placed", attempt=key, why=str(error))
        _take_back(desk, key, fence, str(error))


def _epoch(ami: OneShot) -> int:
    """Return the PBX's clock in whole seconds. Raises AmiError."""
    answer = ami.ask(actions.ping())
    try:
        return int(float(answer["timestamp"]))
    except (KeyError, ValueError):
        raise AmiError("the PBX does not tell its time") from None


def _decide(desk: Desk, key: int, fence: int, clock: int) -> Placing | None:
    """Write the try down as sent and return what to send; None when it is not to be sent."""
    now = desk.now()
    with writing(desk.engine) as session:
        in_turn(session)
        attempt = get_attempt(session, key)
        if attempt is None or attempt.state is not AttemptState.CLAIMED or attempt.fence != fence:
            log.debug("job.stale", attempt=key, fence=fence)
            return None
        setup = desk.setups.read(session)
        case = None if attempt.case_id is None else get_case(session, attempt.case_id)
        number, did = attempt.number, attempt.did
        standing = standing_for(session, setup, desk.country, number, did, now, attempt.id)
        found, bar = _allowed(session, setup, attempt, case, standing)
        if not found.go:
            _withdraw(session, setup, attempt, case, found, bar, now)
            return None
        placing = placing_of(setup, attempt, case, clock, _patience(setup.callbacks, standing))
        send_attempt(session, key, fence, placing.uniqueids[0], now, _UNSEEN)
        if case is not None and attempt.asked_by:
            # Not before: an order that is taken back leaves the case to all.
            theirs = claimed(case, attempt.operator, now, setup.callbacks)
            save_case(session, case, theirs, now)
    return placing


def _patience(rules: CallbackRules, standing: Standing) -> timedelta:
    """Return within which time the operator has to accept: before it is night at the client's."""
    most = timedelta(seconds=WINDOW_SECONDS + rules.operator_seconds + ACCEPT_SECONDS)
    now = standing.now
    return loud_until(rules.quiet, standing.zones, now, now + most) - now


def _allowed(
    session: Session, setup: Setup, attempt: Attempt, case: Case | None, standing: Standing
) -> tuple[Verdict, str]:
    """Return whether a try may be sent now, and the word for what stands in its way."""
    if attempt.case_id is not None and (case is None or not case.open):
        return Verdict(Bar.CLOSED), "over"
    if case is None or attempt.asked_by:
        found = may_dial(setup.callbacks, standing)
    else:
        found = verdict(case, setup.callbacks, standing)
    if not found.go:
        return found, str(found.bar)
    if not is_watched(session, standing.now):
        return Verdict(Bar.STOPPED), "listener"
    if not _is_free(session, attempt):
        return Verdict(Bar.AT_ONCE), "operator"
    return GO, ""


def _is_free(session: Session, attempt: Attempt) -> bool:
    """Tell whether the operator of a try is still free; who asked for it may be on a break."""
    state = next(
        (one for one in list_operator_states(session) if one.extension == attempt.operator), None
    )
    if state is None or state.call_id is not None or (state.pause and not attempt.asked_by):
        return False
    if attempt.mobile:
        return state.state is OperatorActivity.AWAY
    return state.state in (OperatorActivity.FREE, OperatorActivity.PAUSED)


def _withdraw(
    session: Session,
    setup: Setup,
    attempt: Attempt,
    case: Case | None,
    found: Verdict,
    bar: str,
    now: datetime,
) -> None:
    finish_attempt(session, attempt, Ended.WITHDRAWN, now, bar)
    log.info("callback.withdrawn", attempt=attempt.id, case=attempt.case_id, why=bar)
    alarm_of_bar(session, setup.callbacks, found.bar, attempt.number, now)
    if case is None or not case.open:
        return
    back = settled(case, Ended.WITHDRAWN, now, setup.callbacks)
    if attempt.asked_by:
        save_case(session, case, as_before(back, now), now)
    elif found.until is None and found.ending is None and found.attention is None:
        save_case(session, case, put_off(back, Verdict(found.bar, now), now), now)
    else:
        save_case(session, case, put_off(back, found, now), now)


def _send(desk: Desk, ami: OneShot, key: int, placing: Placing) -> None:
    """Order the call. Nothing is sent twice: without an answer it is looked up later."""
    try:
        answer = ami.ask(actions.originate(placing))
    except AmiError as error:
        log.warning("callback.unanswered", attempt=key, why=str(error))
        return
    except BadValue as error:
        answer = {"response": "Error", "message": str(error)}
    if answer["response"] == "Success":
        log.info("callback.placed", attempt=key, operator=placing.order.operator)
        return
    why = answer.get("message", "refused")
    log.error("callback.refused", attempt=key, why=why)
    not_dialled(desk, key, why)


def _take_back(desk: Desk, key: int, fence: int, why: str) -> None:
    """Let a try that was not sent end; one that was is left to who looks."""
    with writing(desk.engine) as session:
        in_turn(session)
        attempt = get_attempt(session, key)
        mine = attempt is not None and attempt.fence == fence
        if attempt is not None and mine and attempt.state is AttemptState.CLAIMED:
            end_attempt(session, desk, attempt, Ended.NOT_DIALLED, why)


def not_dialled(desk: Desk, key: int, why: str) -> None:
    """Note that the PBX did not take an order."""
    with writing(desk.engine) as session:
        in_turn(session)
        attempt = get_attempt(session, key)
        if attempt is not None:
            end_attempt(session, desk, attempt, Ended.NOT_DIALLED, why)


def end_attempt(session: Session, desk: Desk, attempt: Attempt, how: Ended, why: str) -> None:
    """Write how a try ended that no record tells of, and let its case go on."""
    now = desk.now()
    if not finish_attempt(session, attempt, how, now, why[:200]):
        return
    case = None if attempt.case_id is None else get_case(session, attempt.case_id)
    if case is not None:
        rules = desk.setups.read(session).callbacks
        save_case(session, case, settled(case, how, now, rules), now)


def placing_of(
    setup: Setup, attempt: Attempt, case: Case | None, clock: int, patience: timedelta
) -> Placing:
    """Return what the PBX is told of a try; `clock` is its own.

    `patience` is within which time the client has to be dialled.
    """
    rules = setup.callbacks
    client_first = attempt.first is First.CLIENT
    operator = setup.operators.get(attempt.operator)
    mobile = ""
    if operator is not None and attempt.mobile and operator.mobile:
        mobile = setup.line(operator.mobile, operator.trunk) or operator.mobile
    language = language_for(attempt.number, rules.greetings)
    greeting = rules.greetings.get(language, "") if attempt.case_id is not None else ""
    if not greeting:
        language = language_for(attempt.number, LANGUAGES)
    until = clock + int(patience.total_seconds())
    return Placing(
        order=Order(None if client_first else attempt.operator, attempt.number, attempt.did),
        uniqueids=channel_ids(attempt.id, clock),
        until=min(clock + WINDOW_SECONDS, until) if client_first else clock + WINDOW_SECONDS,
        client_until=until,
        desk="" if mobile or operator is None else operator.endpoint,
        mobile=mobile,
        shown=attempt.did if rules.shown is Shown.DID else "",
        operator_seconds=rules.operator_seconds,
        client_seconds=rules.client_seconds,
        longest_minutes=rules.longest_minutes,
        name=case.client_name if case else "",
        language=language if greeting or rules.client_key else "",
        greeting=greeting,
        client_key=rules.client_key and attempt.case_id is not None,
        machine_detection=rules.machine_detection and attempt.case_id is not None,
    )
