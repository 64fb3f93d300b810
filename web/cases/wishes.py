"""Callbacks that people ask for in the panel: of a client, or after a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from telephony.accounts import User
from telephony.callbacks.asking import (
    Desk,
    Refusal,
    RefusedError,
    a_wish,
    ask_for_call,
    is_known,
)
from telephony.callbacks.promising import Soon, expected
from telephony.domain.callback.cases import Case, Source, Wish
from telephony.domain.numbers import mask, normalise
from telephony.domain.record import CallRecord, Direction
from telephony.domain.setup import Setup
from telephony.store.cases import open_cases
from telephony.store.engine import reading, writing
from telephony.store.setup import load_setup
from telephony.store.tables import in_turn
from web.calls.views import seen_call
from web.cases.actions import note_text
from web.cases.asking import NoTimeError, agreed_time
from web.cases.limits import check_theirs, right_of
from web.cases.views import blueprint, whose
from web.cleaning import visible
from web.i18n import moment, phone, zone
from web.notes import note
from web.refusals import refused_words
from web.rights import allow, safe_next, signed_in_user
from web.services import services
from web.texts import gettext
from web.today import local_today

_NOW, _AGREED = "now", "at"


@dataclass(frozen=True, slots=True)
class Form:
    """What the form shows: numbers to choose from, and the open cases of them that the reader may
    see. `call_id` is the call that it is about, if any; the other fields are as they were filled.
    """

    numbers: Sequence[str]
    cases: Sequence[Case] = ()
    call_id: str = ""
    back: str = ""
    zone: str = ""
    day: str = ""
    time: str = "10:00"
    note: str = ""


def form_for(
    session: Session, setup: Setup, numbers: Sequence[str], back: str, call_id: str = ""
) -> Form:
    """Return the form for a client's numbers, or for the number of a call."""
    right = right_of(signed_in_user(), setup, services().now())
    known = open_cases(session, numbers).values() if numbers else ()
    return Form(
        numbers=numbers,
        cases=[one for one in known if right is None or right.sees(one)],
        call_id=call_id,
        back=back,
        zone=zone(),
        day=str(local_today() + timedelta(days=1)),
    )


def form_of_call(call: CallRecord) -> Form | None:
    """Return the form on the page of a call; None when its number is not one to be called."""
    if call.direction is Direction.INTERNAL or not call.number.startswith("+"):
        return None
    with reading(services().engine) as session:
        if not is_known(session, call.number):
            return None
        back = url_for("calls.show", call_id=call.call_id)
        return form_for(session, load_setup(session), [call.number], back, call.call_id)


blueprint.add_app_template_global(form_of_call, "callback_form_of")


@blueprint.post("/ask")
@allow()
def ask() -> Response | tuple[str, int]:
    """Open a case for a client who is to be called, now or at a time agreed, or join the open one;
    show the form again where that is refused.
    """
    offer, user = services(), signed_in_user()
    back = safe_next(request.form.get("next"))
    try:
        with writing(offer.engine) as session:
            in_turn(session)
            desk = Desk(load_setup(session), offer.settings.country)
            wish = _wish(session, desk, user)
            case, said = _ask(session, desk, wish, user)
    except (RefusedError, NoTimeError) as error:
        words = str(error) if isinstance(error, NoTimeError) else refused_words(error)
        return _again(back, words), 422
    flash(said, "good")
    right = right_of(user, desk.setup, offer.now())
    seen = right is None or right.sees(case)
    return redirect(url_for("cases.show", case_id=case.id) if seen else back)


def _wish(session: Session, desk: Desk, user: User) -> Wish:
    """Return what is asked for. Raises RefusedError or NoTimeError."""
    when = request.form.get("when", _NOW)
    if when not in (_NOW, _AGREED):
        abort(400)
    did = name = ""
    call_id = request.form.get("call", "")
    if call_id:
        call = seen_call(session, call_id, user)
        number, name = call.number, visible(call.client_name)
        did = call.did if call.did in desk.setup.dids else ""
    else:
        number = normalise(request.form.get("number", ""), desk.country) or ""
    if not number or not is_known(session, number):
        raise RefusedError(Refusal.UNKNOWN_NUMBER)
    at = agreed_time(request.form, zone()) if when == _AGREED else None
    source = Source.REQUEST if at is None else Source.SCHEDULED
    wish = a_wish(number, source, services().now(), did, name=name, note=note_text())
    return replace(wish, promised_at=at)


def _ask(session: Session, desk: Desk, wish: Wish, user: User) -> tuple[Case, str]:
    now = services().now()
    check_theirs(session, wish.number, user, desk.setup, now)
    case, _ = ask_for_call(session, desk, wish, now)
    details = {} if wish.promised_at is None else {"at": wish.promised_at.isoformat()}
    # The log is kept for long: whom was called stands in the case.
    note(session, "callback.asked", mask(wish.number), case=case.id, **details)
    return case, _promise(session, desk, case, now)


def _promise(session: Session, desk: Desk, case: Case, now: datetime) -> str:
    """Return what becomes of it, as far as it is known."""
    whom = whose(case)
    waits = gettext("%(whom)s is among the missed calls: a person has to call.", whom=whom)
    if case.due_at is None:
        return waits
    if case.due_at > now:
        return gettext("%(whom)s is called at %(when)s.", whom=whom, when=moment(case.due_at))
    soon = expected(session, desk, case.number, case.did, now)
    if soon.at is not None:
        return gettext("%(whom)s is called from %(when)s on.", whom=whom, when=moment(soon.at))
    if soon.soon in (Soon.CLOSED, Soon.QUIET):
        return waits
    return gettext("%(whom)s is called as soon as somebody is free.", whom=whom)


def _again(back: str, problem: str) -> str:
    """Return a page with the form as it was filled in."""
    offer, user = services(), signed_in_user()
    call_id = request.form.get("call", "")
    with reading(offer.engine) as session:
        if call_id:
            number = seen_call(session, call_id, user).number
        else:
            number = normalise(request.form.get("number", ""), offer.settings.country) or ""
        form = form_for(session, load_setup(session), [number] if number else [], back, call_id)
    form = replace(
        form,
        day=request.form.get("day", ""),
        time=request.form.get("time", ""),
        note=note_text(),
    )
    whom = phone(visible(number))
    return render_template("cases/ask.html", form=form, whom=whom, problem=problem)
