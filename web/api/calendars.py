"""Calendars that duty comes from, and links to duty: by the panel's own checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any, NoReturn, cast

from flask import abort, g
from sqlalchemy.orm import Session

from telephony import subscriptions
from telephony.accounts import ApiToken, Scope
from telephony.calendars import load_company
from telephony.domain.duty import Absence, OneOff
from telephony.ical import Fault
from telephony.store.calendars import Feed, copy_of, get_feed, list_feeds
from telephony.store.engine import reading, writing
from telephony.store.setup import load_setup
from telephony.store.shares import Share, get_share, list_shares
from telephony.store.tables import BIGGEST_KEY
from telephony.subscriptions import File, Objected, Objection, Written
from telephony.words import say
from web.api import calendarshapes, schemas
from web.api.base import language, reads, refuse, writes
from web.calendaring import calendars as renewing
from web.calendaring import link_address, outgoing, owner_words
from web.cleaning import visible
from web.notes import note_by_token
from web.services import services
from web.wrong import calendar_words, fault_words

_READ, _WRITE = Scope.SETUP_READ, Scope.SETUP_WRITE
_ONE = "/calendars/<int:calendar_id>"


@reads("/calendars", _READ, calendarshapes.CalendarList, schemas.Paged)
def calendars(query: Mapping[str, Any]) -> dict[str, Any]:
    """List the calendars that duty and absences come from, by their owners."""
    with reading(services().engine) as session:
        found = list_feeds(session)
    shown = found[query["offset"] : query["offset"] + query["limit"]]
    return {"items": [_line(one) for one in shown], "total": len(found)}


@reads(_ONE, _READ, calendarshapes.OneCalendar, schemas.Empty, one=True)
def one_calendar(query: Mapping[str, Any], calendar_id: int) -> dict[str, Any]:
    """Show a calendar: its state, what is wrong in it, what it brings in the next 14 days."""
    del query
    return _shown(calendar_id)


@writes(
    "POST",
    "/calendars",
    _WRITE,
    calendarshapes.OneCalendar,
    calendarshapes.CalendarBody,
    status=201,
    one=False,
)
def add_calendar(query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Read a calendar and keep it; it is not in use yet, unless `enabled` says so."""
    del query
    offer = services()
    with reading(offer.engine) as session:
        company = load_company(session)
    written = Written(
        body["owner_kind"],
        body["owner"],
        url=body["url"],
        file=_file(body) if body["file"] else None,
        layer=body["layer"],
        takes=body["takes"],
        zone=body["zone"],
    )
    found, wrong = subscriptions.look_at(written, company, outgoing(), offer.vault, offer.now())
    if found is None:
        _refuse(wrong)
    with writing(offer.engine) as session:
        key = subscriptions.add(session, found, offer.now(), note_by_token, enabled=body["enabled"])
    return _shown(key)


@writes("PATCH", _ONE, _WRITE, calendarshapes.OneCalendar, calendarshapes.CalendarPatch)
def change_calendar(
    query: Mapping[str, Any], body: Mapping[str, Any], calendar_id: int
) -> dict[str, Any]:
    """Let duty come from a calendar, or no more."""
    del query
    offer = services()
    with writing(offer.engine) as session:
        _known(session, calendar_id)
        subscriptions.switch(session, calendar_id, body["enabled"], offer.now(), note_by_token)
    return _shown(calendar_id)


@writes("POST", f"{_ONE}/renew", _WRITE, calendarshapes.OneCalendar)
def renew_calendar(query: Mapping[str, Any], calendar_id: int) -> dict[str, Any]:
    """Fetch a calendar now, or read its file anew; `fault` says why that failed."""
    del query
    with reading(services().engine) as session:
        _known(session, calendar_id)
    renewing().renew_now(calendar_id)
    return _shown(calendar_id)


@writes("PUT", f"{_ONE}/file", _WRITE, calendarshapes.OneCalendar, calendarshapes.FileBody)
def replace_calendar_file(
    query: Mapping[str, Any], body: Mapping[str, Any], calendar_id: int
) -> dict[str, Any]:
    """Put another file in the place of an uploaded one."""
    del query
    offer = services()
    with reading(offer.engine) as session:
        feed = _known(session, calendar_id)
    wrong = subscriptions.replace_file(offer.engine, feed, _file(body), offer.now(), note_by_token)
    if wrong:
        _refuse(wrong)
    return _shown(calendar_id)


@writes("DELETE", _ONE, _WRITE, None, status=204)
def delete_calendar(query: Mapping[str, Any], calendar_id: int) -> None:
    """Delete a calendar with what it brought."""
    del query
    with writing(services().engine) as session:
        _known(session, calendar_id)
        subscriptions.remove(session, calendar_id, note_by_token)


@reads("/duty/links", _READ, calendarshapes.LinkList, schemas.Paged)
def duty_links(query: Mapping[str, Any]) -> dict[str, Any]:
    """List the links by which calendar programs subscribe to duty, without their addresses."""
    with reading(services().engine) as session:
        found = list_shares(session)
    return {
        "items": found[query["offset"] : query["offset"] + query["limit"]],
        "total": len(found),
    }


@writes(
    "POST",
    "/duty/links",
    _WRITE,
    calendarshapes.NewLink,
    calendarshapes.LinkBody,
    status=201,
    one=False,
)
def make_duty_link(query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Make a link to somebody's duty; its address is shown this once."""
    del query
    offer = services()
    kind, owner = body["owner_kind"], body["owner"]
    name = cast(ApiToken, g.token).name
    wanted = Share(
        0, kind, owner, body["lunch"], body.get("language", language()), name, offer.now()
    )
    with writing(offer.engine) as session:
        setup = load_setup(session)
        if not subscriptions.is_known(setup, kind, owner):
            _refuse([Objected("owner", Objection.NOT_LISTED)])
        words = owner_words(setup, kind, owner)
        made, token = subscriptions.make_link(session, wanted, words, note_by_token)
    shown = {one: getattr(made, one) for one in Share.__slots__}
    return {**shown, "address": link_address(token)}


@writes("DELETE", "/duty/links/<int:link_id>", _WRITE, None, status=204)
def revoke_duty_link(query: Mapping[str, Any], link_id: int) -> None:
    """Revoke a link: whoever subscribes by it is refused from now on."""
    del query
    with writing(services().engine) as session:
        share = None if link_id > BIGGEST_KEY else get_share(session, link_id)
        if share is None:
            abort(404)
        words = owner_words(load_setup(session), share.owner_kind, share.owner)
        subscriptions.revoke_link(session, share, words, note_by_token)


def _known(session: Session, calendar_id: int) -> Feed:
    feed = None if calendar_id > BIGGEST_KEY else get_feed(session, calendar_id)
    if feed is None:
        abort(404)
    return feed


def _file(body: Mapping[str, Any]) -> File:
    # Half a character is no UTF-8: the reader of files says so.
    return File(visible(body["file_name"]), body["file"].encode("utf-8", "surrogatepass"))


def _refuse(wrong: Iterable[Objected]) -> NoReturn:
    errors: dict[str, list[str]] = {}
    for one in wrong:
        errors.setdefault(one.field, []).append(calendar_words(one))
    refuse(errors)


def _shown(calendar_id: int) -> dict[str, Any]:
    with reading(services().engine) as session:
        feed = _known(session, calendar_id)
        copy = copy_of(session, feed)
    return {
        **_line(feed),
        "complaints": [
            {
                "flaw": one.flaw,
                "title": one.title,
                "found": one.text,
                "at": one.at,
                "words": say(one.flaw, language()),
            }
            for one in feed.complaints
        ],
        "brings": [_brought(one) for one in subscriptions.upcoming(copy, services().now())],
    }


def _line(feed: Feed) -> dict[str, Any]:
    return {name: getattr(feed, name) for name in Feed.__slots__} | {
        "age_ms": round((services().now() - feed.fetched_at).total_seconds() * 1000),
        "next_at": feed.next_at if feed.enabled and feed.url else None,
        "fault": None if feed.fault is None else Fault(feed.fault),
        "fault_words": fault_words(feed.fault, feed.detail),
        "problems": len(feed.complaints),
    }


def _brought(one: OneOff | Absence) -> dict[str, Any]:
    return {
        "operator": one.operator,
        "kind": one.kind if isinstance(one, Absence) else None,
        "begin": one.start.replace(tzinfo=UTC),
        "end": one.end.replace(tzinfo=UTC),
    }
