"""Many clients at once, as the panel has it: all of them as a CSV file, and such a file applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NoReturn

from flask import Response, request

from telephony.accounts import Scope
from telephony.clients import differences
from telephony.importing import (
    MOST_BYTES,
    Change,
    Report,
    RowError,
    as_csv,
    import_clients,
    note_import,
)
from telephony.store.asked import every_client
from telephony.store.engine import reading, writing
from web.api import clientele, setupshapes
from web.api.base import reads, refuse, refuse_file, writes
from web.downloads import download
from web.notes import note_by_token
from web.security import takes
from web.services import services
from web.texts import gettext
from web.wrong import problem_words

CSV = "text/csv"
SHOWN = 100


@reads(
    "/clients.csv", Scope.CLIENTS_READ, {"type": "string"}, clientele.ClientsFileQuery, media=CSV
)
def clients_file(query: Mapping[str, Any]) -> Response:
    """Give clients as a CSV file that can be imported again: UTF-8, with commas."""
    offer = services()
    text, manager = query.get("q", ""), query.get("manager")
    with writing(offer.engine) as session:
        note_by_token(session, "clients.exported", "", found=text or None, manager=manager)

    def pieces() -> Iterator[str]:
        with reading(offer.engine) as session:
            yield from as_csv(
                every_client(session, text, country=offer.settings.country, manager=manager)
            )

    return download(pieces(), "clients", CSV, "csv")


@writes(
    "POST",
    "/clients/import",
    Scope.CLIENTS_WRITE,
    clientele.Imported,
    query=setupshapes.DryRunQuery,
    one=False,
    raw=CSV,
)
@takes(MOST_BYTES)
def import_clients_file(query: Mapping[str, Any]) -> dict[str, Any]:
    """Add and change clients by a CSV file: all of its rows, or none when one is wrong.

    With `dry_run` nothing is changed: the answer says what would be.
    """
    if request.mimetype != CSV:
        refuse({"Content-Type": [gettext("Send a file as text/csv.")]}, "header")
    offer = services()
    report = import_clients(
        offer.engine,
        request.get_data(),
        offer.settings.country,
        dry_run=query["dry_run"],
        written=partial(note_import, note_by_token),
    )
    if report.errors:
        _refuse(report)
    counts = ("added", "updated", "unchanged", "numbers_removed")
    return {name: getattr(report, name) for name in counts} | {
        "applied": report.version is not None,
        "changes": [_row(one) for one in report.changes[:SHOWN]],
    }


def _row(one: Change) -> dict[str, Any]:
    changed = {} if one.before is None else differences(one.before, one.after)
    return {
        "line": one.line,
        "client_id": one.client_id,
        "name": one.after.name,
        "fields": [{"name": name} | sides for name, sides in changed.items()],
    }


def _refuse(report: Report) -> NoReturn:
    count = len(report.errors)
    refuse_file(
        gettext("Errors in the file: %(count)s. Nothing was changed.", count=count),
        [_error(one) for one in report.errors[:SHOWN]],
    )


def _error(one: RowError) -> dict[str, str]:
    return {
        "in": "csv",
        "line": str(one.line),
        "name": one.column,
        "value": one.value,
        "code": one.problem.value,
        "detail": problem_words(one.problem, one.detail),
    }
