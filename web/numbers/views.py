"""The pages of numbers with their rules, of opening hours, trunks and mailboxes."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from telephony.accounts import Role
from telephony.configfile import (
    Change,
    ConflictError,
    Data,
    Entry,
    as_data,
    change,
)
from telephony.domain.setup import Setup
from telephony.store.announcements import list_announcements
from telephony.store.directory import current_version
from telephony.store.engine import reading
from telephony.store.setup import load_setup
from web.duty import listening
from web.edits import author, edit_setup, error_words, saved
from web.i18n import zone
from web.numbers.offers import offers
from web.numbers.preview import ahead, opens
from web.numbers.sections import SECTIONS, Section, renamed
from web.numbers.sheet import Sheet, sent
from web.rights import allow, signed_in_user
from web.services import services
from web.texts import gettext
from web.trying import Tried, call_form, question_of, tried, when_words

blueprint = Blueprint("numbers", __name__)

_SECTION = "/<any(numbers,hours,trunks,mailboxes):address>"
_WEEKS = timedelta(weeks=4)


@blueprint.get("/numbers", defaults={"address": "numbers"})
@blueprint.get("/<any(hours,trunks,mailboxes):address>")
@allow(Role.ADMIN, Role.SUPERVISOR)
def index(address: str) -> str:
    """List a section of the set-up."""
    section = SECTIONS[address]
    now = services().now()
    with reading(services().engine) as session:
        setup = load_setup(session)
    return render_template(
        "numbers/index.html",
        section=section,
        sections=SECTIONS.values(),
        setup=setup,
        entries=as_data(setup)[section.key],
        openness={name: opens(one, now) for name, one in setup.hours.items()},
        hours_of=setup.hours_of,
    )


@blueprint.route(f"{_SECTION}/new", methods=["GET", "POST"])
@allow(Role.ADMIN)
def add(address: str) -> str | Response | tuple[str, int]:
    """Add an entry."""
    section = SECTIONS[address]
    sheet = sent(request.form) if request.method == "POST" else section.sheet(section.usual)
    return _answer(section, sheet, None)


@blueprint.route(f"{_SECTION}/<path:key>", methods=["GET", "POST"])
@allow(Role.ADMIN, Role.SUPERVISOR)
def edit(address: str, key: str) -> str | Response | tuple[str, int]:
    """Change an entry, or, with `try`, ask what the change would do to a call."""
    section = SECTIONS[address]
    if request.method == "POST":
        if not _may_change():
            abort(403)
        return _answer(section, sent(request.form), key)
    with reading(services().engine) as session:
        entry = _find(as_data(load_setup(session)), section, key)
    if entry is None:
        abort(404)
    return _answer(section, section.sheet(entry), key)


@blueprint.route(f"{_SECTION}/<path:key>/delete", methods=["GET", "POST"])
@allow(Role.ADMIN)
def delete(address: str, key: str) -> str | Response:
    """Ask whether an entry is to go, and remove it; what names it keeps it."""
    section = SECTIONS[address]
    with reading(services().engine) as session:
        if _find(as_data(load_setup(session)), section, key) is None:
            abort(404)

    def without(data: Data) -> None:
        data[section.key] = [one for one in data[section.key] if one[section.name] != key]

    offer = services()
    tried_out = change(
        offer.engine, author(), without, now=offer.now(), country=offer.settings.country,
        dry_run=True,
    )  # fmt: skip
    if request.method == "POST" and not tried_out.errors:
        try:
            done = edit_setup(without)
        except ConflictError:
            flash(gettext("Others are changing the set-up just now: try again."), "warn")
            return redirect(url_for("numbers.index", address=address))
        if not done.errors:
            saved(done, gettext("Removed."))
            return redirect(url_for("numbers.index", address=address))
    users = [_place_words(error.path, tried_out.before) for error in tried_out.errors]
    return render_template(
        "numbers/delete.html", section=section, key=key, users=list(dict.fromkeys(users))
    )


def _answer(section: Section, sheet: Sheet, key: str | None) -> str | Response | tuple[str, int]:
    """Show the form, or save what was sent; with `try` only ask."""
    posted = request.method == "POST"
    asks = "try" in request.form
    done: Change | None = None
    expected = sheet.values.pop("expected", "")
    sheet.values.pop("try", None)
    if posted:
        entry = section.entry(sheet)

        def put(data: Data) -> None:
            _put(data, section, key, entry)

        offer = services()
        try:
            done = change(
                offer.engine, author(), put, now=offer.now(), country=offer.settings.country,
                expected=int(expected) if expected.isdigit() else None, dry_run=asks,
            )  # fmt: skip
        except LookupError:
            abort(404)
        except ConflictError:
            sheet.rest.append(
                gettext(
                    "Somebody changed the set-up meanwhile. Look at it again; what you filled in "
                    "is still here."
                )
            )
        else:
            if done.errors:
                sheet.blame(done.errors, _path(done, section, key), error_words)
            elif not asks:
                saved(done, gettext("Saved."))
                return redirect(url_for("numbers.index", address=section.address))
    return _page(section, sheet, key, done if asks else None, posted=posted)


def _page(
    section: Section,
    sheet: Sheet,
    key: str | None,
    asked: Change | None,
    *,
    posted: bool,
) -> tuple[str, int]:
    offer = services()
    now = offer.now()
    found: Tried | None = None
    with reading(offer.engine) as session:
        setup = load_setup(session)
        version = current_version(session).setup_version
        form = call_form(setup, prefix="call-", did=key or sheet.value("number"))
        if asked is not None and not asked.errors:
            question = question_of(form, now, offer.settings.country)
            if question is not None:
                found = tried(session, question, setup, now, asked.after)
        live = listening(session, now)
        sounds = list_announcements(session)
    after = asked.after if asked and not asked.errors else setup
    page = render_template(
        section.template,
        section=section,
        sheet=sheet,
        key=key,
        version=version,
        may_change=_may_change(),
        offers=offers(setup, sounds),
        form=form,
        tried=found,
        when=when_words(found) if found else "",
        live=live,
        zone=zone(),
        dids=setup.dids.values(),
        preview=ahead(after.hours[key], now, _WEEKS) if key and key in after.hours else None,
    )
    wrong = bool(sheet.errors or sheet.rest)
    return page, 422 if posted and wrong else 200


def _may_change() -> bool:
    return signed_in_user().role is Role.ADMIN


def _find(data: Data, section: Section, key: str) -> Entry | None:
    return next((one for one in data[section.key] if one[section.name] == key), None)


def _put(data: Data, section: Section, key: str | None, entry: Entry) -> None:
    """Put an entry into the data, in place of the one of this key. Raises LookupError."""
    entries = data[section.key]
    if key is None:
        entries.append(entry)
        return
    place = next((n for n, one in enumerate(entries) if one[section.name] == key), None)
    if place is None:
        raise LookupError(key)
    entries[place] = entry
    new = str(entry.get(section.name, ""))
    if new and new != key:
        renamed(data, section, key, new)


def _path(done: Change, section: Section, key: str | None) -> str:
    """Return the path that errors of the entry begin with."""
    entries = as_data(done.before)[section.key]
    known = [one[section.name] for one in entries]
    place = known.index(key) if key in known else len(entries)
    return f"{section.key}[{place}]"


def _place_words(path: str, setup: Setup) -> str:
    """Return who names an entry that would go, by the path of the error that this makes."""
    data = as_data(setup)
    kind, _, rest = path.partition("[")
    number = rest.partition("]")[0]
    if kind in data and number.isdigit() and int(number) < len(data[kind]):
        entry = data[kind][int(number)]
        name = entry.get("name") or entry.get("title") or entry.get("number") or ""
        return {
            "groups": gettext("group %(name)s", name=name),
            "operators": gettext("operator %(name)s", name=name),
            "dids": gettext("number %(name)s", name=entry.get("number", name)),
        }.get(kind, path)
    return path
