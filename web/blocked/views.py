"""The pages of the block list."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from telephony.accounts import Role
from telephony.blocking import (
    Behind,
    WrittenBlock,
    audited,
    check_block,
    clients_behind,
    put_on_list,
)
from telephony.domain.blocklist import HIDDEN, Blocked
from telephony.store.blocklist import (
    BlockedPage,
    get_blocked,
    list_blocked,
    load_blocklist,
    unblock,
)
from telephony.store.clients import find_owners, get_clients
from telephony.store.engine import reading, writing
from telephony.store.tables import BIGGEST_KEY
from web.blocked.forms import BlockForm
from web.blocked.words import pattern_words
from web.cleaning import cell, visible
from web.downloads import download, separator
from web.i18n import zone
from web.notes import note
from web.pages import PER_PAGE, Paging, page_number
from web.rights import allow, signed_in_user
from web.services import services
from web.texts import gettext, ngettext
from web.today import local_today
from web.wrong import objection_words

blueprint = Blueprint("blocked", __name__, url_prefix="/blocked")

_LONGEST = 100


@blueprint.get("")
@allow(Role.ADMIN, Role.SUPERVISOR)
def index() -> str:
    """List who is not put through, the latest first."""
    offer = services()
    text = "".join(letter for letter in request.args.get("q", "") if letter.isprintable())
    text = text[:_LONGEST].strip()
    number = page_number()
    with reading(offer.engine) as session:
        found = list_blocked(
            session, limit=PER_PAGE, offset=(number - 1) * PER_PAGE, search=_searched(text)
        )
        owners = _owners(session, found)
    return render_template(
        "blocked/index.html",
        q=text,
        lines=found.items,
        owners=owners,
        now=offer.now(),
        pattern_words=pattern_words,
        paging=Paging(number, PER_PAGE, found.total),
    )


@blueprint.route("/new", methods=["GET", "POST"])
@allow(Role.ADMIN, Role.SUPERVISOR)
def add() -> str | AnyResponse | tuple[str, int]:
    """Block numbers; `?number=` fills one in. Blocking a client's number asks first."""
    offer = services()
    form = BlockForm(patterns=request.args.get("number", "")[:_LONGEST])
    form.patterns.flags.required = form.reason.flags.required = True
    written = WrittenBlock(
        patterns=(form.patterns.data or "").splitlines(),
        reason=(form.reason.data or "").strip(),
        until=_end_of(form.until.data),
    )
    if not form.is_submitted():
        with reading(offer.engine) as session:
            patterns, _ = check_block(session, written, offer.settings.country, offer.now())
            behind = clients_behind(session, patterns)
        return _page(form, behind)
    if not form.validate_on_submit():
        return _page(form), 422
    with writing(offer.engine) as session:
        patterns, wrong = check_block(session, written, offer.settings.country, offer.now())
        behind = [] if wrong else clients_behind(session, patterns)
        # Whoever sends the form again with the same clients named has seen the warning.
        if not wrong and (form.sure.data or "") == _names(behind):
            by = signed_in_user().login
            put = put_on_list(session, written, offer.settings.country, by, offer.now())
            wrong = list(put.wrong)
            behind = []
            for _, line in put.lines:
                note(session, "blocked.added", line.pattern, **audited(line))
    for one in wrong:
        words = objection_words(one.objection, one.value, one.detail)
        form[one.field].errors = [*form[one.field].errors, words]
    if wrong or behind:
        return _page(form, behind), 422
    flash(ngettext("%(num)s line was added.", "%(num)s lines were added.", len(patterns)), "good")
    return redirect(url_for("blocked.index"))


@blueprint.route("/<int:line_id>/delete", methods=["GET", "POST"])
@allow(Role.ADMIN, Role.SUPERVISOR)
def delete(line_id: int) -> str | AnyResponse:
    """Ask whether a line is to be taken off, and take it off."""
    if line_id > BIGGEST_KEY:
        abort(404)
    with reading(services().engine) as session:
        line = get_blocked(session, line_id)
    if line is None:
        abort(404)
    if request.method == "POST":
        with writing(services().engine) as session:
            if unblock(session, [line_id]):
                note(session, "blocked.removed", line.pattern, **audited(line))
        flash(gettext("%(whom)s: not blocked any more.", whom=pattern_words(line.pattern)), "good")
        return redirect(url_for("blocked.index"))
    return render_template(
        "blocked/delete.html", line=line, line_id=line_id, whom=pattern_words(line.pattern)
    )


@blueprint.get("/export.csv")
@allow(Role.ADMIN, Role.SUPERVISOR)
def export() -> Response:
    """Send the list as a file."""
    with reading(services().engine) as session:
        lines = load_blocklist(session).lines
    place = ZoneInfo(zone())
    head = [
        gettext("Number"),
        gettext("Reason"),
        gettext("Until"),
        gettext("Added by"),
        gettext("Added"),
    ]
    return download(_as_csv(lines, head, place, separator()), "blocked", "text/csv", "csv")


def _page(form: BlockForm, behind: list[Behind] | None = None) -> str:
    form.sure.data = _names(behind or [])
    return render_template(
        "blocked/new.html",
        form=form,
        behind=behind or [],
        pattern_words=pattern_words,
        hidden=HIDDEN,
        today=local_today().isoformat(),
    )


def _names(behind: list[Behind]) -> str:
    return " ".join(one.pattern for one in behind)


def _end_of(day: date | None) -> datetime | None:
    """Return the end of a day in the reader's zone."""
    if day is None:
        return None
    following = min(day, date.max - timedelta(days=2)) + timedelta(days=1)
    try:
        return datetime.combine(following, time(), ZoneInfo(zone())).astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _searched(text: str) -> str:
    """Return a text as lines may hold it: digits of a number without what groups them."""
    compact = "".join(letter for letter in text if letter not in " ()-.")
    return compact if compact.lstrip("+").rstrip("*").isdigit() else text


def _owners(session: Session, page: BlockedPage) -> dict[str, tuple[int, str]]:
    """Return pattern → (id, name) of the client whose number it is."""
    owners = find_owners(session, [line.pattern for _, line in page.items])
    names = get_clients(session, set(owners.values()))
    return {
        pattern: (owner, visible(names[owner].name) or str(owner))
        for pattern, owner in owners.items()
    }


def _as_csv(
    lines: tuple[Blocked, ...], head: list[str], place: ZoneInfo, between: str
) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=between)
    buffer.write("\ufeff")
    writer.writerow(head)
    for line in lines:
        until = "" if line.until is None else f"{line.until.astimezone(place):%Y-%m-%d %H:%M}"
        added = f"{line.added_at.astimezone(place):%Y-%m-%d %H:%M}"
        values = (line.pattern, line.reason, until, line.added_by, added)
        writer.writerow([cell(visible(value)) for value in values])
    yield buffer.getvalue()
