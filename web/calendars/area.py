"""What the pages of calendars share."""

from __future__ import annotations

from flask import Blueprint, abort

from telephony.accounts import Role
from telephony.calendars import Calendars
from telephony.outgoing import Outgoing
from telephony.store.calendars import Feed, get_feed
from telephony.store.engine import reading
from web.services import services

EDITORS = (Role.ADMIN, Role.SUPERVISOR)

blueprint = Blueprint("calendars", __name__, url_prefix="/calendars")


def outgoing() -> Outgoing:
    """Return the room from which calendars are fetched."""
    settings = services().settings
    return Outgoing(settings.outgoing_allow, settings.outgoing_ports)


def calendars() -> Calendars:
    """Return what renews calendars."""
    offer = services()
    return Calendars(offer.engine, offer.vault, outgoing(), now=offer.now)


def feed_or_404(key: int) -> Feed:
    """Return a calendar; the answer is 404 when there is none."""
    with reading(services().engine) as session:
        feed = get_feed(session, key)
    if feed is None:
        abort(404)
    return feed
