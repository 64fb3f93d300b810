"""What the panel and the API share of calendars: what fetches them, and the words for them."""

from __future__ import annotations

from flask import url_for

from telephony.calendars import Calendars
from telephony.domain.duty import AbsenceKind
from telephony.domain.duty.calendars import Takes
from telephony.domain.setup import Setup
from telephony.outgoing import Outgoing
from telephony.store.calendars import Owner
from web.cleaning import visible
from web.services import services
from web.texts import gettext


def outgoing() -> Outgoing:
    """Return the room from which calendars are fetched."""
    settings = services().settings
    return Outgoing(settings.outgoing_allow, settings.outgoing_ports)


def calendars() -> Calendars:
    """Return what renews calendars."""
    offer = services()
    return Calendars(offer.engine, offer.vault, outgoing(), now=offer.now)


def link_address(token: str) -> str:
    """Return the address of a link to duty by its secret part."""
    known = services().settings.web_url.rstrip("/")
    return known + url_for("duty_feed.calendar", token=token, _external=not known)


def owner_words(setup: Setup, kind: Owner, owner: str) -> str:
    """Return whose calendar it is."""
    if kind is Owner.GROUP:
        return gettext("Group %(name)s", name=visible(owner))
    known = setup.operators.get(owner)
    return owner if known is None else f"{visible(known.name)} ({owner})"


def takes_words(takes: Takes) -> str:
    """Return which events of an operator's calendar are absences."""
    return {
        Takes.BUSY: gettext("All events, but for those shown as free"),
        Takes.MARKED: gettext("Only those whose title or category says so"),
    }[takes]


def kind_words(kind: AbsenceKind) -> str:
    """Return which absence it is."""
    return {
        AbsenceKind.VACATION: gettext("vacation"),
        AbsenceKind.SICK: gettext("sick leave"),
        AbsenceKind.OTHER: gettext("away"),
    }[kind]
