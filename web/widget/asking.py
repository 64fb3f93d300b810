"""A visitor's request: looked at, counted, and made a case.

No answer tells whether a number is known: of one that is blocked, or whose owner does not want to
be called, it says what it would say of any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import structlog
from sqlalchemy.orm import Session

from telephony.callbacks.asking import Desk, RefusedError, a_wish, ask_for_call
from telephony.callbacks.promising import Expected, Soon, expected
from telephony.domain.callback.cases import Source
from telephony.domain.callback.verdicts import Bar
from telephony.domain.numbers import normalise
from telephony.store.engine import writing
from telephony.store.setup import load_setup
from telephony.store.sites import (
    WINDOW,
    Counted,
    Site,
    count_day,
    count_request,
    forget_old_requests,
    spend_proof,
)
from web.cleaning import visible
from web.services import services
from web.widget.proof import Proof, verified

log = structlog.get_logger(__name__)

_LONGEST_NUMBER, _LONGEST_NAME = 40, 80


@dataclass(frozen=True, slots=True)
class Answer:
    """What the page is told: what was wrong, or when the call comes."""

    error: str = ""
    status: int = 200
    wait: int = 0
    told: Expected | None = None

    def body(self) -> dict[str, Any]:
        """Return it as it is sent."""
        if self.told is None:
            return {"error": self.error}
        at = self.told.at
        return {"when": self.told.soon.value, "at": None if at is None else at.isoformat()}


def ask(site: Site, body: Mapping[str, Any], address: str) -> Answer:
    """Take a request of a site's visitor."""
    offer = services()
    texts = [body.get(name, "") for name in ("number", "name", "proof", "website")]
    if not all(isinstance(text, str) for text in texts):
        return Answer("malformed", 400)
    number, name, proof, trap = texts
    if trap:
        # No person sees this field. Whoever fills it in is told what they want to hear.
        return Answer(told=Expected(Soon.SOON))
    now = offer.now()
    found = verified(offer.vault, proof, site.key, now)
    if found is None:
        return Answer("proof", 403)
    whole = None
    if len(number) <= _LONGEST_NUMBER:
        whole = normalise(number, offer.settings.country)
    with writing(offer.engine) as session:
        answer = _take(session, site, found, whole, visible(name)[:_LONGEST_NAME], address, now)
        kind = Counted.REFUSED if answer.error else Counted.TAKEN
        if answer.error != "proof":
            count_day(session, site.key, kind, now)
    log.info("callback_form.asked", site=site.key, answer=answer.error or "taken")
    return answer


def _take(
    session: Session,
    site: Site,
    proof: Proof,
    number: str | None,
    name: str,
    address: str,
    now: datetime,
) -> Answer:
    forget_old_requests(session, now)
    if not spend_proof(session, proof.nonce, proof.until):
        return Answer("proof", 403)
    if number is None:
        return Answer("number", 422)
    for kind, key, most in (
        ("address", f"{site.key} {address}", site.address_hour),
        ("site", site.key, site.site_hour),
    ):
        # One address that asks too often does not use up the others' turns.
        wait = _wait(session, kind, key, most, now)
        if wait:
            return Answer("too_many", 429, wait)
    offer = services()
    desk = Desk(load_setup(session), offer.settings.country)
    # Before the case is there: it must not count itself.
    told = expected(session, desk, number, site.did, now)
    if _wait(session, "number", number, site.number_hour, now):
        return Answer(told=told)  # others have asked for it: that is nobody's business
    wish = a_wish(number, Source.FORM, now, site.did, name=name, note=site.title)
    try:
        ask_for_call(session, desk, wish, now)
    except RefusedError as error:
        if error.bar is Bar.REFUSED:
            return Answer("number", 422)
    return Answer(told=told)


def _wait(session: Session, kind: str, key: str, most: int, now: datetime) -> int:
    """Count a request; return for how many seconds none more is taken, or 0."""
    count, since = count_request(session, kind, sha256(key.encode()).hexdigest(), now)
    return int((since + WINDOW - now).total_seconds()) + 1 if count > most else 0
