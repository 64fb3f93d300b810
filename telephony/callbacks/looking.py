"""What became of a try of which nothing was heard: it is looked up, never ordered again."""

from __future__ import annotations

from datetime import timedelta

import structlog

from telephony.ami import actions
from telephony.ami.client import AmiError
from telephony.ami.oneshot import session as ami_session
from telephony.callbacks.desk import Desk
from telephony.callbacks.placing import end_attempt
from telephony.callbacks.standing import is_watched
from telephony.domain.callback.results import Ended
from telephony.store.attempts import Attempt, AttemptState, get_attempt, renew_attempt
from telephony.store.engine import reading, writing
from telephony.store.tables import in_turn

log = structlog.get_logger(__name__)

_GOES_ON = timedelta(seconds=30)
_SOON = timedelta(seconds=15)


def look(desk: Desk, key: int, fence: int) -> None:
    """Find out what became of a try that was sent; a job that is out of date does nothing.

    Its channel is there: it goes on. The PBX keeps its key: the client was dialled, and nobody
    knows what came of it, so a person has to see to it. Neither: it never began.
    """
    with reading(desk.engine) as session:
        attempt = get_attempt(session, key)
        watched = is_watched(session, desk.now())
    if attempt is None or attempt.state is not AttemptState.SENT or attempt.fence != fence:
        log.debug("job.stale", attempt=key, fence=fence)
        return
    found = _ask(desk, attempt)
    now = desk.now()
    with writing(desk.engine) as session:
        in_turn(session)
        again = get_attempt(session, key)
        if again is None or again.state is not AttemptState.SENT or again.fence != fence:
            return  # its record came meanwhile
        if found is None or not watched:
            # Whoever listens may still make a record of it.
            renew_attempt(session, again, now + _SOON)
        elif found == _LIVE:
            renew_attempt(session, again, now + _GOES_ON)
        elif attempt.cause != found:
            # Gone, and not on record yet: that is made of it in a moment, if anybody saw it.
            renew_attempt(session, again, now + _SOON, cause=found)
        else:
            how = Ended.UNKNOWN if found == _DIALLED else Ended.NOT_DIALLED
            end_attempt(session, desk, again, how, found)
            log.warning("callback.looked_up", attempt=key, case=again.case_id, found=found)


_LIVE, _DIALLED, _NOTHING = "live", "dialled", "no_trace"


def _ask(desk: Desk, attempt: Attempt) -> str | None:
    """Return what the PBX knows of a try; None when it cannot be asked."""
    if desk.dialler is None or attempt.uniqueid is None:
        return None
    try:
        with ami_session(desk.dialler) as ami:
            # A channel can be named by its Uniqueid: no list has to be read, and none be forged.
            answer = ami.ask(actions.of_channel(attempt.uniqueid, "UNIQUEID"))
            if answer["response"] == "Success":
                return _LIVE
            dialled = ami.ask(actions.fence(attempt.uniqueid))
    except AmiError as error:
        log.warning("callback.not_looked_up", attempt=attempt.id, why=str(error))
        return None
    return _DIALLED if dialled["response"] == "Success" else _NOTHING
