"""The page of everybody who is told of something, and of what did not arrive."""

from __future__ import annotations

from flask import render_template

from telephony.accounts import Role
from telephony.store.deliveries import State
from telephony.store.engine import reading
from telephony.store.notices import list_notices
from telephony.store.setup import load_setup
from telephony.store.webhooks import list_webhooks
from telephony.telling.deliveries import Way, undelivered
from telephony.telling.notices import missing_setting
from telephony.telling.webhooks import failing_since
from web.notices.area import blueprint
from web.pages import PER_PAGE, Paging, page_number
from web.rights import allow
from web.services import services
from web.telling import event_words, reason_words


@blueprint.get("")
@allow(Role.ADMIN)
def index() -> str:
    """List who is mailed, which programs are told, and what did not arrive."""
    offer = services()
    number = page_number()
    with reading(offer.engine) as session:
        rules, hooks, setup = list_notices(session), list_webhooks(session), load_setup(session)
        failing = failing_since(session, hooks)
        failed, total = undelivered(session, PER_PAGE, (number - 1) * PER_PAGE)
    return render_template(
        "notices/index.html",
        rules=rules,
        hooks=hooks,
        failed=failed,
        paging=Paging(number, PER_PAGE, total),
        dids=setup.dids,
        failing_since=failing,
        missing=missing_setting(offer.settings),
        event_words=event_words,
        reason_words=reason_words,
        states=State,
        ways=Way,
    )
