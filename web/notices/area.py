"""What the pages of notices share."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

blueprint = Blueprint("notices", __name__, url_prefix="/notices")


def to_list() -> Response:
    """Send the browser to the list."""
    return redirect(url_for("notices.index"))
