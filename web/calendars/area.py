"""What the pages of calendars share."""

from __future__ import annotations

from flask import Blueprint, abort

from telephony.accounts import Role
from telephony.store.calendars import Feed, get_feed
from telephony.store.engine import reading
from web.services import services

EDITORS = (Role.ADMIN, Role.SUPERVISOR)

blueprint = Blueprint("calendars", __name__, url_prefix="/calendars")


def feed_or_404(key: int) -> Feed:
    """Return a calendar; the answer is 404 when there is none."""
    with reading(services().engine) as session:
        feed = get_feed(session, key)
    if feed is None:
        abort(404)
    return feed
