"""Adding a calendar: it is read at once, and shown before it is put to use."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePath

from flask import flash, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from telephony import subscriptions
from telephony.calendars import Company, load_company
from telephony.domain.duty.calendars import Takes
from telephony.domain.setup import Setup
from telephony.ical.reading import MOST_BYTES
from telephony.store.engine import reading, writing
from telephony.subscriptions import File, Found, Written
from telephony.zones import known_zones
from web.calendaring import outgoing, takes_words
from web.calendars.area import EDITORS, blueprint, feed_or_404
from web.calendars.forms import CalendarForm
from web.calendars.words import owner_of, owners
from web.cleaning import visible
from web.i18n import zone
from web.notes import note
from web.rights import allow
from web.services import services
from web.texts import gettext
from web.wrong import calendar_words


@blueprint.route("/new", methods=["GET", "POST"])
@allow(*EDITORS)
def add() -> str | Response | tuple[str, int]:
    """Read a calendar and keep it, not in use yet."""
    now = services().now()
    with reading(services().engine) as session:
        company = load_company(session)
    form = CalendarForm(owner=request.args.get("owner", ""), zone=zone(), takes=Takes.BUSY.value)
    _choices(form, company.setup)
    found = _found(form, company, now) if form.validate_on_submit() else None
    if found is None:
        page = render_template("calendars/new.html", form=form)
        return (page, 422) if form.is_submitted() else page
    with writing(services().engine) as session:
        key = subscriptions.add(session, found, now, note)
    return redirect(url_for("calendars.show", key=key))


@blueprint.post("/<int:key>/file")
@allow(*EDITORS)
def replace_file(key: int) -> Response:
    """Put another file in the place of an uploaded one."""
    feed = feed_or_404(key)
    offer = services()
    upload = request.files.get("file")
    back = redirect(url_for("calendars.show", key=key))
    if upload is None or not upload.filename:
        flash(gettext("Choose a file."), "bad")
        return back
    wrong = subscriptions.replace_file(offer.engine, feed, _file(upload), offer.now(), note)
    if wrong:
        flash(calendar_words(wrong[0]), "bad")
        return back
    flash(gettext("The calendar was read."))
    return back


def _found(form: CalendarForm, company: Company, now: datetime) -> Found | None:
    """Return what was read; None, with errors at their fields, when it cannot be."""
    whose = owner_of(company.setup, form.owner.data)
    if whose is None:
        return None
    upload = form.file.data
    written = Written(
        *whose,
        url=form.url.data or "",
        file=_file(upload) if upload and upload.filename else None,
        layer=form.layer.data,
        takes=Takes(form.takes.data),
        zone=form.zone.data,
    )
    found, wrong = subscriptions.look_at(written, company, outgoing(), services().vault, now)
    for one in wrong:
        form[one.field].errors = [calendar_words(one)]
    return found


def _file(upload: FileStorage) -> File:
    name = visible(PurePath((upload.filename or "").replace("\\", "/")).name)
    return File(name, upload.stream.read(MOST_BYTES + 1))


def _choices(form: CalendarForm, setup: Setup) -> None:
    form.owner.choices = [SelectChoice(value, words) for value, words in owners(setup)]
    form.takes.choices = [SelectChoice(one.value, takes_words(one)) for one in Takes]
    form.zone.choices = [SelectChoice(name, name) for name in sorted(known_zones())]
