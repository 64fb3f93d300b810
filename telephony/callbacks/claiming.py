"""Whose a case is once its call has been sent: that of whoever asked for the call.

Not before: an order that is taken back, or never begins, leaves the case to all.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from telephony.callbacks.desk import Desk
from telephony.domain.callback.cases import CaseState, claimed
from telephony.store.attempts import Attempt, AttemptState, get_attempt
from telephony.store.cases import get_case, save_case
from telephony.store.engine import reading, writing
from telephony.store.tables import in_turn


def claim_sent(desk: Desk, key: int) -> None:
    """Give the case of a try that somebody asked for to them, if it was sent and goes on."""
    with reading(desk.engine) as session:
        if _sent(session, key) is None:
            return
    with writing(desk.engine) as session:
        in_turn(session)
        attempt = _sent(session, key)
        if attempt is None or attempt.case_id is None:
            return
        case = get_case(session, attempt.case_id)
        if case is None or case.state is not CaseState.DIALLING:
            return
        now = desk.now()
        rules = desk.setups.read(session).callbacks
        save_case(session, case, claimed(case, attempt.operator, now, rules), now)


def _sent(session: Session, key: int) -> Attempt | None:
    """Return a try of a case that was asked for and is with the PBX."""
    attempt = get_attempt(session, key)
    if attempt is None or attempt.case_id is None or not attempt.asked_by:
        return None
    return attempt if attempt.state is AttemptState.SENT else None
