"""Files that the panel sends: named for the reader's day, CSV with the reader's separator."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Response

from web.i18n import current_language
from web.today import local_today

# Spreadsheets open a file at once when it has their separator; the Russian one is a semicolon.
_SEPARATORS = {"ru": ";"}


def separator() -> str:
    """Return what stands between the cells of a CSV file in the reader's language."""
    return _SEPARATORS.get(current_language(), ",")


def download(body: str | Iterable[str], name: str, kind: str, ending: str) -> Response:
    """Return a response that is kept as `calls-2026-11-26.csv`; `kind` is its media type."""
    response = Response(body, mimetype=kind)
    response.headers["Content-Disposition"] = (
        f'attachment; filename="{name}-{local_today():%Y-%m-%d}.{ending}"'
    )
    return response
