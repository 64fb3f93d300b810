"""What the pages of the set-up share: the blueprint, and the entry of an address."""

from __future__ import annotations

import re

from flask import Blueprint, abort

from telephony.configfile import Data, Entry, find

blueprint = Blueprint("setup", __name__, url_prefix="/setup")


@blueprint.app_template_filter()
def field_id(path: str) -> str:
    """Return the id of the input of a path: `queue-name`, `open-0-days`."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", path).strip("-")


def entry_of(data: Data, section: str, key: str) -> Entry:
    """Return the entry of an address; 404 when there is none."""
    try:
        return find(data, section, key)
    except LookupError:
        abort(404)
