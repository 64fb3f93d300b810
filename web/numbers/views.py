"""The pages of numbers with their rules, of opening hours, trunks and mailboxes."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from telephony.accounts import Role
from telephony.configfile import (
    KEYS,
    Change,
    ConflictError,
    Data,
    Reference,
    as_data,
    find,
    put_entry,
    references,
    remove_entry,
    rename_references,
)
from telephony.store.announcements import list_announcements
from telephony.store.directory import current_version
from telephony.store.engine import reading
from telephony.store.setup import load_setup
from web.duty import listening
from web.edits import edit_setup, entry_of, error_words, saved, seen_version
from web.i18n import zone
from web.numbers.offers import offers
from web.numbers.preview import ahead, opens
from web.numbers.sections import SECTIONS, Section
from web.numbers.sheet import Sheet, sent
from web.rights import allow, signed_in_user
from web.services import services
from web.texts import gettext
from web.trying import call_form, tried_with, when_words

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
        entry = entry_of(as_data(load_setup(session)), section.key, key)
    if not _may_change():
        entry.pop("pin", None)
    return _answer(section, section.sheet(entry), key)


@blueprint.route(f"{_SECTION}/<path:key>/delete", methods=["GET", "POST"])
@allow(Role.ADMIN)
def delete(address: str, key: str) -> str | Response:
    """Ask whether an entry is to go, and remove it; what names it keeps it."""
    section = SECTIONS[address]
    with reading(services().engine) as session:
        data = as_data(load_setup(session))
    entry_of(data, section.key, key)
    named = references(data, section.key, key)
    if request.method == "POST" and not named:

        def without(data: Data) -> None:
            entry_of(data, section.key, key)
            remove_entry(data, section.key, key)

        try:
            done = edit_setup(without)
        except ConflictError:
            flash(gettext("Others are changing the set-up just now: try again."), "warn")
            return redirect(url_for("numbers.index", address=address))
        if not done.errors:
            saved(done, gettext("Removed."))
            return redirect(url_for("numbers.index", address=address))
        # Somebody began to use it meanwhile.
        data = as_data(done.before)
        named = references(data, section.key, key)
    users = [_user_words(one, data) for one in named]
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
        places: list[int] = []

        def put(data: Data) -> None:
            places[:] = [put_entry(data, section.key, key, entry, None)]
            new = str(entry.get(KEYS[section.key], ""))
            if key is not None and new and new != key:
                rename_references(data, section.key, key, new)

        try:
            done = edit_setup(
                put, expected=seen_version(expected) if expected else None, dry_run=asks
            )
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
                sheet.blame(done.errors, f"{section.key}[{places[0]}]", error_words)
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
    after = asked.after if asked and not asked.errors else None
    with reading(offer.engine) as session:
        setup = load_setup(session)
        version = current_version(session).setup_version
        form = call_form(setup, prefix="call-", did=key or sheet.value("number"))
        found = tried_with(session, form, setup, after, now, offer.settings.country)
        live = listening(session, now)
        sounds = list_announcements(session)
    shown = after or setup
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
        preview=ahead(shown.hours[key], now, _WEEKS) if key and key in shown.hours else None,
    )
    wrong = bool(sheet.errors or sheet.rest)
    return page, 422 if posted and wrong else 200


def _may_change() -> bool:
    return signed_in_user().role is Role.ADMIN


def _user_words(one: Reference, data: Data) -> str:
    """Return who names an entry that would go."""
    if one.section == "operators":
        name = find(data, one.section, one.key)["name"]
        return gettext("operator %(name)s", name=name)
    if one.section == "groups":
        return gettext("group %(name)s", name=one.key)
    return gettext("number %(name)s", name=one.key)
