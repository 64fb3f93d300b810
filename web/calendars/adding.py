"""Adding a calendar: it is read at once, and shown before it is put to use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath

from flask import flash, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from telephony.calendars import (
    EVERY,
    Company,
    Use,
    address_of,
    fetch,
    load_company,
    shown_place,
    understand,
)
from telephony.domain.duty.calendars import Takes
from telephony.domain.setup import Setup
from telephony.ical import CalendarError, decoded
from telephony.ical.reading import MOST_BYTES
from telephony.store.calendars import (
    LEASE,
    Copy,
    Owner,
    add_feed,
    claim_feeds,
    get_feed,
    save_copy,
)
from telephony.store.engine import reading, writing
from web.calendars.area import EDITORS, blueprint, feed_or_404, outgoing
from web.calendars.forms import CalendarForm
from web.calendars.words import owner_of, owners, takes_words
from web.cleaning import visible
from web.i18n import zone, zones
from web.notes import note
from web.rights import allow
from web.services import services
from web.texts import gettext
from web.words import fault_words

_LONGEST_TITLE = 80


@dataclass(frozen=True, slots=True)
class _Found:
    """What was read: where it may be shown to come from, its sealed address, name and copy."""

    use: Use
    place: str | None
    url: str | None
    name: str
    copy: Copy


@blueprint.route("/new", methods=["GET", "POST"])
@allow(*EDITORS)
def add() -> str | Response | tuple[str, int]:
    """Read a calendar and keep it, not in use yet."""
    now = services().now()
    with reading(services().engine) as session:
        company = load_company(session)
    form = CalendarForm(owner=request.args.get("owner", ""), zone=zone(), takes=Takes.BUSY.value)
    _choices(form, company.setup)
    found = _found(form, company) if form.validate_on_submit() else None
    if found is None:
        page = render_template("calendars/new.html", form=form)
        return (page, 422) if form.is_submitted() else page
    use = found.use
    with writing(services().engine) as session:
        key = add_feed(
            session,
            owner_kind=use.owner_kind,
            owner=use.owner,
            title=found.name,
            place=found.place,
            url=found.url,
            zone=use.zone,
            layer=use.layer,
            takes=use.takes,
            copy=found.copy,
            now=now,
        )
        note(session, "calendar.added", found.name, owner=use.owner, place=found.place)
    return redirect(url_for("calendars.show", key=key))


@blueprint.post("/<int:key>/file")
@allow(*EDITORS)
def replace_file(key: int) -> Response:
    """Put another file in the place of an uploaded one."""
    feed = feed_or_404(key)
    offer = services()
    upload = request.files.get("file")
    back = redirect(url_for("calendars.show", key=key))
    if feed.url is not None or upload is None or not upload.filename:
        flash(gettext("Choose a file."), "bad")
        return back
    with reading(offer.engine) as session:
        company = load_company(session)
    use = Use(feed.owner_kind, feed.owner, feed.zone, feed.layer, feed.takes)
    try:
        _, copy = understand(company, use, _text(upload), offer.now())
    except CalendarError as error:
        flash(fault_words(error.fault.value, error.detail), "bad")
        return back
    title = _file_name(upload)
    with writing(offer.engine) as session:
        claim_feeds(session, [key], offer.now(), LEASE, force=True)
        held = get_feed(session, key)
        if held is not None:
            soon = offer.now() + EVERY
            save_copy(session, held, copy, title=title, now=offer.now(), next_at=soon)
            note(session, "calendar.replaced", title, owner=feed.owner)
    flash(gettext("The calendar was read."))
    return back


def _use(form: CalendarForm, kind: Owner, owner: str) -> Use | None:
    """Return how the calendar is taken; None, with an error at its field, without one source."""
    given = [bool(_address(form)), bool(form.file.data and form.file.data.filename)]
    if not any(given):
        form.url.errors = [gettext("Enter an address, or choose a file.")]
        return None
    if all(given):
        form.file.errors = [gettext("Either an address or a file.")]
        return None
    if kind is Owner.GROUP:
        return Use(kind, owner, None, form.layer.data, Takes.BUSY)
    return Use(kind, owner, form.zone.data, 0, Takes(form.takes.data))


def _found(form: CalendarForm, company: Company) -> _Found | None:
    """Return what was read; None, with an error at its field, when it cannot be."""
    whose = owner_of(company.setup, form.owner.data)
    use = None if whose is None else _use(form, *whose)
    if use is None:
        return None
    try:
        return _read(form, use, company)
    except CalendarError as error:
        wrong = form.url if _address(form) else form.file
        wrong.errors = [fault_words(error.fault.value, error.detail)]
    return None


def _read(form: CalendarForm, use: Use, company: Company) -> _Found:
    """Fetch or take the file, and understand it. Raises CalendarError."""
    offer = services()
    now = offer.now()
    if _address(form):
        address = address_of(_address(form))
        place = shown_place(outgoing(), address)
        fetched = fetch(outgoing(), address, now=now)
        name, copy = understand(company, use, fetched.text or "", now)
        copy = replace(copy, etag=fetched.etag, modified=fetched.modified)
        return _Found(use, place, offer.vault.seal(address), visible(name) or place, copy)
    upload = form.file.data
    name, copy = understand(company, use, _text(upload), now)
    return _Found(use, None, None, _file_name(upload) or visible(name), copy)


def _address(form: CalendarForm) -> str:
    return (form.url.data or "").strip()


def _text(upload: FileStorage) -> str:
    return decoded(upload.stream.read(MOST_BYTES + 1))


def _file_name(upload: FileStorage) -> str:
    return visible(PurePath((upload.filename or "").replace("\\", "/")).name)[:_LONGEST_TITLE]


def _choices(form: CalendarForm, setup: Setup) -> None:
    form.owner.choices = [SelectChoice(value, words) for value, words in owners(setup)]
    form.takes.choices = [SelectChoice(one.value, takes_words(one)) for one in Takes]
    form.zone.choices = [SelectChoice(name, name) for name in sorted(zones())]
