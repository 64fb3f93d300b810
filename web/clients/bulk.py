"""Many clients at once: a CSV file looked at, then applied; and all of them as such a file."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from telephony.accounts import Role
from telephony.clients import differences
from telephony.importing import (
    COLUMNS,
    MOST_BYTES,
    Change,
    Report,
    as_csv,
    import_clients,
    note_import,
)
from telephony.store.asked import every_client
from telephony.store.engine import reading, writing
from web.cleaning import visible
from web.clients.views import asked_for, blueprint
from web.downloads import download, separator
from web.notes import note
from web.rights import allow
from web.security import takes
from web.services import services
from web.texts import gettext
from web.words import detail_words
from web.wrong import problem_words

SHOWN = 100

# Base64 of what may have defied compression, and the form around it.
_MOST_BODY = MOST_BYTES * 4 // 3 + 100_000


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the preview: where it stands in the file, whose it is, and what changes."""

    line: int
    name: str
    client_id: int | None
    said: list[str]


@blueprint.route("/import", methods=["GET", "POST"])
@takes(_MOST_BODY)
@allow(Role.ADMIN, Role.SUPERVISOR)
def bring() -> str | AnyResponse | tuple[str, int]:
    """Look at a file and say what it would change; when that was seen, change it."""
    if request.method != "POST":
        return _asking()
    source = _unpacked(request.form["packed"]) if "packed" in request.form else _uploaded()
    if isinstance(source, str):
        return _asking(source), 422
    offer = services()
    seen = request.form.get("seen", "")
    report = import_clients(offer.engine, source, offer.settings.country, dry_run=True)
    if report.errors or seen != _counts(report):
        return _preview(report, source, again=bool(seen)), 422 if report.errors else 200
    report = import_clients(
        offer.engine, source, offer.settings.country, written=partial(note_import, note)
    )
    if report.errors:
        return _preview(report, source, again=True), 422
    flash(
        gettext(
            "Imported: %(added)s added, %(updated)s changed.",
            added=report.added,
            updated=report.updated,
        ),
        "good",
    )
    return redirect(url_for("clients.index"))


@blueprint.get("/export.csv")
@allow(Role.ADMIN, Role.SUPERVISOR)
def export() -> Response:
    """Send the list as a file that can be imported again."""
    offer = services()
    with reading(offer.engine) as session:
        text, manager = asked_for(session)
    with writing(offer.engine) as session:
        note(session, "clients.exported", "", found=text or None, manager=manager)
    between = separator()

    def pieces() -> Iterator[str]:
        with reading(offer.engine) as session:
            found = every_client(session, text, country=offer.settings.country, manager=manager)
            # Spreadsheets need the mark to know that it is UTF-8.
            yield "\ufeff"
            yield from as_csv(found, between)

    return download(pieces(), "clients", "text/csv", "csv")


def _asking(error: str = "") -> str:
    return render_template(
        "clients/import.html", columns=COLUMNS, error=error, megabytes=MOST_BYTES // 1_000_000
    )


def _uploaded() -> bytes | str:
    """Return what was sent, or why it cannot be taken."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return gettext("Choose a file.")
    source = file.stream.read(MOST_BYTES + 1)
    if len(source) > MOST_BYTES:
        return _too_large()
    return source if source.strip() else gettext("The file is empty.")


def _unpacked(text: str) -> bytes | str:
    """Return the file out of the page that showed what it would change."""
    try:
        unpacking = zlib.decompressobj()
        source = unpacking.decompress(base64.b64decode(text, validate=True), MOST_BYTES + 1)
    except (binascii.Error, zlib.error, ValueError):
        return gettext("Choose the file once more.")
    return source if len(source) <= MOST_BYTES else _too_large()


def _too_large() -> str:
    return gettext(
        "The file is larger than %(megabytes)s MB: split it, or use dutyline import clients.",
        megabytes=MOST_BYTES // 1_000_000,
    )


def _preview(report: Report, source: bytes, *, again: bool) -> str:
    return render_template(
        "clients/preview.html",
        report=report,
        errors=[
            (
                one.line,
                one.column,
                visible(one.value),
                visible(problem_words(one.problem, one.detail)),
            )
            for one in report.errors[:SHOWN]
        ],
        rows=[_row(one) for one in report.changes[:SHOWN]],
        again=again,
        counts=_counts(report),
        packed=base64.b64encode(zlib.compress(source)).decode(),
    )


def _row(change: Change) -> Row:
    changed = {} if change.before is None else differences(change.before, change.after)
    said = [visible(words) for words in detail_words(changed)]
    name = change.after if change.before is None else change.before
    return Row(change.line, visible(name.name), change.client_id, said)


def _counts(report: Report) -> str:
    return f"{report.added} {report.updated} {report.unchanged} {report.numbers_removed}"
