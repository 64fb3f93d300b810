"""What people do with cases. Each is refused in words, and stands in the audit log."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from telephony.callbacks.asking import (
    Asker,
    Desk,
    Refusal,
    RefusedError,
    call_case,
    call_number,
    claim_case,
    close_case,
    close_cases,
    schedule_case,
)
from telephony.domain.callback.cases import Case, Ending
from telephony.domain.numbers import normalise
from telephony.domain.setup import Setup
from telephony.store.case_lists import get_cases
from telephony.store.engine import reading, writing
from telephony.store.setup import load_setup
from telephony.store.tables import in_turn
from telephony.words import say
from web.cases.asking import NoTimeError, agreed_time
from web.cases.limits import check_theirs, is_taken, leads, right_of
from web.cases.views import BIGGEST, ENDINGS, blueprint, names_of, seen_case, whose
from web.cleaning import visible
from web.i18n import current_language, moment, phone, zone
from web.notes import note
from web.refusals import refused_words
from web.rights import allow, safe_next, signed_in_user
from web.services import services
from web.texts import gettext, ngettext

_NOTE = 500
MOST = 500


def asker() -> Asker:
    """Return the signed-in user as whoever asks."""
    user = signed_in_user()
    return Asker(user.login, user.extension or None)


@blueprint.post("/<int:case_id>/call")
@allow()
def call(case_id: int) -> Response:
    """Ring the user's phone, then the client."""

    def do(session: Session, desk: Desk, case: Case) -> str:
        call_case(session, desk, case.id, asker(), services().now())
        note(session, "callback.called", case.number, case=case.id)
        return gettext("Your phone rings: answer it, and %(whom)s is called.", whom=whose(case))

    return _done(case_id, do)


@blueprint.post("/<int:case_id>/claim")
@allow()
def claim(case_id: int) -> Response:
    """Take a case (`operator` is `me`), give it back (empty), or give it to somebody."""
    wanted = request.form.get("operator", "")

    def do(session: Session, desk: Desk, case: Case) -> str:
        user = signed_in_user()
        who = (user.extension or None) if wanted == "me" else wanted or None
        if wanted == "me" and (who is None or who not in desk.setup.operators):
            raise RefusedError(Refusal.NO_OPERATOR)
        if who is not None and who not in desk.setup.operators:
            abort(400)
        if not leads(user) and who not in (None, user.extension):
            abort(403)
        if not leads(user) and who is None and case.claimed_by not in (None, user.extension):
            raise RefusedError(Refusal.TAKEN)
        claim_case(session, desk, case.id, who, services().now())
        action = "callback.claimed" if who else "callback.returned"
        note(session, action, case.number, case=case.id, operator=who)
        if who is None:
            return gettext("%(whom)s: anybody may take it again.", whom=whose(case))
        if who == user.extension:
            return gettext("%(whom)s: it is yours.", whom=whose(case))
        return gettext(
            "%(whom)s: given to %(name)s.", whom=whose(case), name=names_of(desk.setup)[who]
        )

    return _done(case_id, do)


@blueprint.post("/<int:case_id>/schedule")
@allow()
def schedule(case_id: int) -> Response:
    """Promise a call at a local time of the user's zone."""

    def do(session: Session, desk: Desk, case: Case) -> str:
        when = agreed_time(request.form, zone())
        # Perhaps another one is open: this may be over.
        check_theirs(session, case.number, signed_in_user(), desk.setup, services().now())
        schedule_case(session, desk, case.id, when, services().now())
        note(session, "callback.scheduled", case.number, case=case.id, at=when.isoformat())
        return gettext("%(whom)s is called at %(when)s.", whom=whose(case), when=moment(when))

    return _done(case_id, do)


@blueprint.post("/<int:case_id>/close")
@allow()
def close(case_id: int) -> Response:
    """End a case for a reason; an opt-out keeps its number from being called at all."""
    ending = _ending((*ENDINGS, Ending.OPTED_OUT))

    def do(session: Session, desk: Desk, case: Case) -> str:
        del desk
        text = note_text()
        close_case(session, case.id, ending, asker(), text, services().now())
        _note_end(session, case, ending, text)
        if ending is Ending.OPTED_OUT:
            return gettext("%(number)s is not called any more.", number=phone(case.number))
        how = say(ending, current_language())
        return gettext("%(whom)s: over (%(how)s).", whom=whose(case), how=how)

    return _done(case_id, do)


@blueprint.route("/close", methods=["GET", "POST"])
@allow()
def close_several() -> str | Response:
    """Ask whether the chosen cases are to be closed, and close them."""
    keys = [int(one) for one in request.values.getlist("case") if one.isascii() and one.isdigit()]
    keys = [one for one in dict.fromkeys(keys) if one <= BIGGEST][:MOST]
    back = safe_next(request.values.get("next") or url_for("cases.index"))
    if request.method == "GET":
        with reading(services().engine) as session:
            setup = load_setup(session)
            cases = _closable(session, setup, keys)
        return render_template(
            "cases/close.html", cases=cases, endings=ENDINGS, names=names_of(setup), back=back
        )
    ending, text = _ending(ENDINGS), note_text()
    with writing(services().engine) as session:
        in_turn(session)
        mine = [one.id for one in _closable(session, load_setup(session), keys)]
        told = close_cases(session, mine, ending, asker(), text, services().now())
        over = [one for one in told.values() if isinstance(one, Case)]
        for case in over:
            _note_end(session, case, ending, text)
    closed = len(over)
    flash(
        ngettext("%(num)d case was closed.", "%(num)d cases were closed.", closed),
        "good" if closed else "warn",
    )
    if closed < len(keys):
        left = len(keys) - closed
        said = ngettext(
            "%(num)d was left: it was over already, is being called, or a colleague has it.",
            "%(num)d were left: they were over already, are being called, or colleagues have them.",
            left,
        )
        flash(said, "warn")
    return redirect(back)


def _closable(session: Session, setup: Setup, keys: Sequence[int]) -> list[Case]:
    """Return those of the cases that are open and the user's to close, in this order."""
    now, user = services().now(), signed_in_user()
    right = right_of(user, setup, now)
    known = get_cases(session, keys)
    cases = [known[key] for key in keys if key in known]
    return [
        one
        for one in cases
        if one.open and (right is None or right.sees(one)) and not is_taken(one, user, now)
    ]


@blueprint.post("/dial")
@allow()
def dial() -> Response:
    """Ring the user's phone, then a number that was clicked, if its case is not a colleague's."""
    offer = services()
    wanted = request.form.get("number", "")
    number = normalise(wanted, offer.settings.country)
    back = redirect(safe_next(request.form.get("next")))
    if number is None:
        flash(gettext("%(text)s is no telephone number.", text=visible(wanted)[:40]), "bad")
        return back
    try:
        with writing(offer.engine) as session:
            in_turn(session)
            desk = Desk(load_setup(session), offer.settings.country)
            check_theirs(session, number, signed_in_user(), desk.setup, offer.now())
            call_number(session, desk, number, asker(), offer.now())
            note(session, "callback.called", number)
    except RefusedError as error:
        flash(f"{phone(number)}: {refused_words(error, own=True)}", "warn")
    else:
        said = gettext("Your phone rings: answer it, and %(whom)s is called.", whom=phone(number))
        flash(said, "good")
    return back


def _done(case_id: int, do: Callable[[Session, Desk, Case], str]) -> Response:
    """Do something with a case that the user may act on, say what was done, and go back."""
    offer = services()
    user = signed_in_user()
    target = request.form.get("next")
    try:
        with writing(offer.engine) as session:
            setup: Setup = load_setup(session)
            case = seen_case(session, case_id, user, setup, lock=True)
            if is_taken(case, user, offer.now()):
                raise RefusedError(Refusal.TAKEN)
            said = do(session, Desk(setup, offer.settings.country), case)
    except RefusedError as error:
        flash(refused_words(error, own=True), "warn")
    except NoTimeError as error:
        flash(str(error), "bad")
    else:
        flash(said, "good")
    return redirect(safe_next(target) if target else url_for("cases.show", case_id=case_id))


def _ending(known: tuple[Ending, ...]) -> Ending:
    text = request.form.get("ending", "")
    found = next((one for one in known if one.value == text), None)
    if found is None:
        abort(400)
    return found


def note_text() -> str:
    """Return the note of the form."""
    text = request.form.get("note", "")
    return "".join(letter for letter in text if letter.isprintable() or letter == "\n")[
        :_NOTE
    ].strip()


def _note_end(session: Session, case: Case, ending: Ending, text: str) -> None:
    if ending is Ending.OPTED_OUT:
        note(session, "optout.added", case.number, case=case.id, reason=text)
    else:
        note(
            session, "callback.closed", case.number, case=case.id, ending=ending.value, reason=text
        )
