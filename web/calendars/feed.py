"""What a calendar program fetches: somebody's duty, by a secret link and nothing else."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from flask import Blueprint, Response, abort, current_app, request
from werkzeug.exceptions import TooManyRequests

from telephony.accounts.tokens import find_link
from telephony.dutyfeed import duty_calendar
from telephony.store.engine import reading, writing
from telephony.store.setup import load_setup
from telephony.store.shares import touch_share
from web.limits import Limits
from web.rights import public
from web.services import services

BY_LINK, BY_ADDRESS = 30, 60  # requests a minute; by address only those with no such link
EXTENSION = "dutyline.feed_limits"

_NOTED_AGAIN_AFTER = timedelta(minutes=1)

blueprint = Blueprint("duty_feed", __name__, url_prefix="/calendar")


@blueprint.record_once
def _set_up(state: object) -> None:
    state.app.extensions[EXTENSION] = (  # type: ignore[attr-defined]
        Limits(BY_LINK),
        Limits(BY_ADDRESS),
    )


@blueprint.get("/<token>.ics")
@public
def calendar(token: str) -> Response:
    """Return the calendar; 304 when it is the one that is known, 404 without such a link."""
    offer = services()
    now = offer.now()
    by_link, by_address = current_app.extensions[EXTENSION]
    with reading(offer.engine) as session:
        share = find_link(session, token)
        setup = None if share is None else load_setup(session)
    if share is None or setup is None:
        _hold(by_address, request.remote_addr)
        abort(404)
    _hold(by_link, share.id)
    body = duty_calendar(
        setup, share.owner_kind, share.owner, now, lunch=share.lunch, language=share.language
    )
    if body is None:
        abort(404)
    if share.used_at is None or share.used_at <= now - _NOTED_AGAIN_AFTER:
        with writing(offer.engine) as session:
            touch_share(session, share.id, now)
    answer = Response(body, content_type="text/calendar; charset=utf-8")
    answer.set_etag(hashlib.sha256(body).hexdigest()[:32])
    answer.headers["Content-Disposition"] = "inline; filename=duty.ics"
    answer.headers["Cache-Control"] = "no-store"
    answer.make_conditional(request)
    return answer


def _hold(limits: Limits, who: object) -> None:
    wait = limits.wait(str(who))
    if wait is not None:
        raise TooManyRequests(retry_after=wait)
