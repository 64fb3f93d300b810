"""What the pages of the set-up share: the blueprint, and the ids of inputs."""

from __future__ import annotations

import re

from flask import Blueprint

blueprint = Blueprint("setup", __name__, url_prefix="/setup")


@blueprint.app_template_filter()
def field_id(path: str) -> str:
    """Return the id of the input of a path: `queue-name`, `open-0-days`."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", path).strip("-")
