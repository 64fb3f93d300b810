"""Calendars as people add, use and delete them, and links to duty: for the panel, API and CLI."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from telephony.accounts.tokens import new_link
from telephony.calendars import (
    EVERY,
    LONGEST_TITLE,
    Company,
    Use,
    address_of,
    fetch,
    load_company,
    shown_place,
    understand,
)
from telephony.domain.duty import Absence, OneOff
from telephony.domain.duty.calendars import Takes
from telephony.domain.setup import Setup
from telephony.ical import CalendarError, Fault, decoded
from telephony.outgoing import Outgoing
from telephony.secrets import Vault
from telephony.store.audit import Note
from telephony.store.calendars import (
    LEASE,
    Copy,
    Feed,
    Owner,
    add_feed,
    claim_feeds,
    get_feed,
    remove_feed,
    save_copy,
    use_feed,
)
from telephony.store.engine import reading, writing
from telephony.store.shares import Share, add_share, remove_share
from telephony.zones import known_zones

AHEAD = timedelta(days=14)  # what is shown of a calendar before it is used
LONGEST_ADDRESS = 2000
HIGHEST_LAYER = 99


class Objection(StrEnum):
    """What can be wrong with a calendar before it is read."""

    NOT_LISTED = "not_listed"
    NO_SOURCE = "no_source"
    TWO_SOURCES = "two_sources"
    ADDRESS_LONG = "address_long"
    LAYER = "layer"
    FROM_ADDRESS = "from_address"


@dataclass(frozen=True, slots=True)
class File:
    """A file that was uploaded: its name as it may be shown, and its bytes."""

    name: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """A calendar as somebody wrote it down: by its address, or as a file.

    `layer` is of a group's shifts; `takes` and `zone` (IANA) of an operator's absences.
    """

    owner_kind: Owner
    owner: str
    url: str = ""
    file: File | None = None
    layer: int = 0
    takes: Takes = Takes.BUSY
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Objected:
    """One thing wrong: the field (owner, url, file, layer, zone), why, and a detail of a fault."""

    field: str
    why: Objection | Fault
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What was read: whose it is, where it may be shown to come from, its sealed address, copy.

    `place` and `url` are None for a file.
    """

    use: Use
    place: str | None
    url: str | None
    title: str
    copy: Copy


def is_known(setup: Setup, kind: Owner, owner: str) -> bool:
    """Tell whether there is such a group or operator."""
    return owner in (setup.groups if kind is Owner.GROUP else setup.operators)


def look_at(
    written: Written, company: Company, outgoing: Outgoing, vault: Vault, now: datetime
) -> tuple[Found | None, tuple[Objected, ...]]:
    """Check and read a calendar; return it, or everything that is wrong. Nothing is stored."""
    wrong = _check(written, company.setup)
    if wrong:
        return None, tuple(wrong)
    use = _use(written)
    try:
        if written.file is not None:
            return read_file(company, use, written.file, now), ()
        return read_address(company, use, written.url, outgoing, vault, now), ()
    except CalendarError as error:
        field = "url" if written.file is None else "file"
        return None, (Objected(field, error.fault, error.detail),)


def read_address(
    company: Company, use: Use, text: str, outgoing: Outgoing, vault: Vault, now: datetime
) -> Found:
    """Fetch a calendar and understand it. Raises CalendarError."""
    address = address_of(text)
    place = shown_place(outgoing, address)
    fetched = fetch(outgoing, address, now=now)
    name, copy = understand(company, use, fetched.text or "", now)
    copy = replace(copy, etag=fetched.etag, modified=fetched.modified)
    return Found(use, place, vault.seal(address), name.strip() or place, copy)


def read_file(company: Company, use: Use, file: File, now: datetime) -> Found:
    """Understand a file. Raises CalendarError."""
    name, copy = understand(company, use, decoded(file.body), now)
    return Found(use, None, None, file.name[:LONGEST_TITLE] or name, copy)


def keep(session: Session, found: Found, now: datetime) -> int:
    """Store a calendar that was looked at, not in use yet; return its id."""
    use = found.use
    return add_feed(
        session,
        owner_kind=use.owner_kind,
        owner=use.owner,
        title=found.title,
        place=found.place,
        url=found.url,
        zone=use.zone,
        layer=use.layer,
        takes=use.takes,
        copy=found.copy,
        now=now,
    )


def add(session: Session, found: Found, now: datetime, note: Note, *, enabled: bool = False) -> int:
    """Store a calendar and write that down, put it to use if told; return its id."""
    key = keep(session, found, now)
    note(session, "calendar.added", found.title, owner=found.use.owner, place=found.place)
    if enabled:
        switch(session, key, True, now, note)
    return key


def switch(session: Session, key: int, on: bool, now: datetime, note: Note) -> bool:
    """Let duty come from a calendar, or no more; tell whether there is such one."""
    feed = get_feed(session, key)
    if feed is None:
        return False
    if use_feed(session, key, on, now):
        action = "calendar.used" if on else "calendar.stopped"
        note(session, action, feed.title, owner=feed.owner, place=feed.place)
    return True


def replace_file(
    engine: Engine, feed: Feed, file: File, now: datetime, note: Note
) -> tuple[Objected, ...]:
    """Put another file in the place of an uploaded one; return what is wrong with it."""
    if feed.url is not None:
        return (Objected("file", Objection.FROM_ADDRESS),)
    with reading(engine) as session:
        company = load_company(session)
    use = Use(feed.owner_kind, feed.owner, feed.zone, feed.layer, feed.takes)
    try:
        found = read_file(company, use, file, now)
    except CalendarError as error:
        return (Objected("file", error.fault, error.detail),)
    with writing(engine) as session:
        claim_feeds(session, [feed.id], now, LEASE, force=True)
        held = get_feed(session, feed.id)
        if held is not None:
            save_copy(session, held, found.copy, title=found.title, now=now, next_at=now + EVERY)
            note(session, "calendar.replaced", found.title, owner=feed.owner)
    return ()


def remove(session: Session, key: int, note: Note) -> bool:
    """Delete a calendar with what came of it; tell whether there was one."""
    feed = get_feed(session, key)
    if feed is None:
        return False
    remove_feed(session, key)
    note(session, "calendar.removed", feed.title, owner=feed.owner, place=feed.place)
    return True


def upcoming(copy: Copy, now: datetime) -> list[OneOff | Absence]:
    """Return what a calendar brings in the next 14 days, by time; `now` is aware."""
    entries: list[OneOff | Absence] = [*copy.shifts, *copy.absences]
    shown = [one for one in entries if _utc(one.end) > now and _utc(one.start) < now + AHEAD]
    return sorted(shown, key=lambda one: (one.start, one.end, one.operator))


def make_link(session: Session, share: Share, words: str, note: Note) -> tuple[Share, str]:
    """Keep a link to somebody's duty; return (it with its id, the secret part of its address).

    `words` say whose duty it is. The secret part is kept as a hash only; the caller commits.
    """
    token, hashed = new_link()
    made = replace(share, id=add_share(session, hashed, share))
    note(session, "calendar.shared", words, owner=share.owner)
    return made, token


def revoke_link(session: Session, share: Share, words: str, note: Note) -> bool:
    """Refuse whoever subscribes by a link from now on; tell whether there was one."""
    gone = remove_share(session, share.id)
    if gone:
        note(session, "calendar.unshared", words, owner=share.owner)
    return gone


def _check(written: Written, setup: Setup) -> list[Objected]:
    wrong = []
    if not is_known(setup, written.owner_kind, written.owner):
        wrong.append(Objected("owner", Objection.NOT_LISTED))
    if not written.url.strip() and written.file is None:
        wrong.append(Objected("url", Objection.NO_SOURCE))
    if written.url.strip() and written.file is not None:
        wrong.append(Objected("file", Objection.TWO_SOURCES))
    if len(written.url) > LONGEST_ADDRESS:
        wrong.append(Objected("url", Objection.ADDRESS_LONG))
    if not 0 <= written.layer <= HIGHEST_LAYER:
        wrong.append(Objected("layer", Objection.LAYER))
    if written.zone not in known_zones():
        wrong.append(Objected("zone", Objection.NOT_LISTED))
    return wrong


def _use(written: Written) -> Use:
    if written.owner_kind is Owner.GROUP:
        return Use(written.owner_kind, written.owner, None, written.layer, Takes.BUSY)
    return Use(written.owner_kind, written.owner, written.zone, 0, written.takes)


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC)
