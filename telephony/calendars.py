"""Calendars are fetched, understood and kept: by jobs, and at once when somebody asks for it.

A calendar that cannot be had, or not be read, keeps its last good copy; the days that come into
sight meanwhile are read from that. Who wants to know is told after an hour, once.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from telephony.domain.duty.calendars import (
    CALENDAR_FAILED,
    People,
    Takes,
    imported_absences,
    imported_shifts,
)
from telephony.domain.retries import pause
from telephony.domain.setup import Setup
from telephony.ical import CalendarError, Fault, decoded, read_bounded
from telephony.ical.reading import MOST_BYTES
from telephony.outgoing import Outgoing, OutgoingError, Refused, place_of, wait_of
from telephony.secrets import SecretError, Vault
from telephony.store.accounts import list_extensions
from telephony.store.calendars import (
    LEASE,
    Copy,
    Feed,
    Owner,
    claim_feeds,
    copy_of,
    get_feed,
    note_alert,
    note_failure,
    save_copy,
)
from telephony.store.engine import reading, writing
from telephony.store.outbox import Fact, add_facts
from telephony.store.setup import load_setup

log = structlog.get_logger(__name__)

BACK, AHEAD = timedelta(days=1), timedelta(days=61)
EVERY = timedelta(minutes=15)
ALERT_AFTER = timedelta(hours=1)
LONGEST_TITLE = 80

_LONGEST_PAUSE = timedelta(minutes=30)
_LONGEST_WAIT = timedelta(hours=6)
_HEADERS = {"User-Agent": "Dutyline", "Accept": "text/calendar, text/plain;q=0.5, */*;q=0.1"}


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a server sent: the text, None when it is the copy that is known; and its marks."""

    text: str | None
    etag: str | None
    modified: str | None


@dataclass(frozen=True, slots=True)
class Use:
    """Whose calendar it is and how it is to be taken; see store.calendars.Feed."""

    owner_kind: Owner
    owner: str
    zone: str | None = None
    layer: int = 0
    takes: Takes = Takes.BUSY


class FetchError(CalendarError):
    """A calendar was not to be had; `wait` is how long the server asks to be left alone."""

    def __init__(self, fault: Fault, detail: str = "", wait: timedelta | None = None) -> None:
        super().__init__(fault, detail)
        self.wait = wait


def address_of(text: str) -> str:
    """Return an address as it is fetched: webcal stands for https."""
    given = text.strip()
    scheme, colon, rest = given.partition("://")
    return f"https{colon}{rest}" if scheme.lower() in ("webcal", "webcals") else given


def shown_place(outgoing: Outgoing, address: str) -> str:
    """Return what of an address may be shown. Raises FetchError when it cannot be used."""
    try:
        return place_of(outgoing.check(address))
    except OutgoingError as error:
        raise FetchError(Fault.ADDRESS, str(error)) from None


def fetch(
    outgoing: Outgoing,
    address: str,
    etag: str | None = None,
    modified: str | None = None,
    *,
    now: datetime,
) -> Fetched:
    """Fetch a calendar, unless it is still the one with these marks. Raises CalendarError."""
    headers = dict(_HEADERS)
    if etag:
        headers["If-None-Match"] = etag
    if modified:
        headers["If-Modified-Since"] = modified
    try:
        answer = outgoing.get(address, headers, MOST_BYTES)
    except Refused as error:
        raise FetchError(Fault.ADDRESS, str(error)) from None
    except OutgoingError as error:
        raise FetchError(Fault.NO_ANSWER, str(error)) from None
    if answer.status == HTTPStatus.NOT_MODIFIED and (etag or modified):
        return Fetched(None, etag, modified)
    if answer.status != HTTPStatus.OK:
        raise FetchError(
            Fault.STATUS, str(answer.status), wait_of(answer.headers.get("retry-after"), now)
        )
    text = decoded(answer.body)
    etag, modified = (answer.headers.get(name) for name in ("etag", "last-modified"))
    return Fetched(text, _mark(etag), _mark(modified))


@dataclass(frozen=True, slots=True)
class Company:
    """Whom a calendar may name, and the zones of the groups."""

    setup: Setup
    aliases: tuple[tuple[str, str], ...]

    @property
    def people(self) -> People:
        """Everybody by name, extension and login."""
        names = {extension: one.name for extension, one in self.setup.operators.items()}
        return People(names, self.aliases)


def load_company(session: Session) -> Company:
    """Return what `understand` must know."""
    return Company(load_setup(session), tuple(list_extensions(session)))


def understand(company: Company, use: Use, text: str, now: datetime) -> tuple[str, Copy]:
    """Return a calendar's own name, and the copy to keep. Raises CalendarError."""
    zone = zone_of(company.setup, use)
    # By whole days: each day that comes into sight is one change, not one for each of its events.
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    calendar = read_bounded(text, zone, today - BACK, today + AHEAD)
    if use.owner_kind is Owner.GROUP:
        shifts, complaints = imported_shifts(calendar.happenings, company.people, use.layer)
        copy = Copy(text, shifts, (), calendar.complaints + complaints)
    else:
        absences, complaints = imported_absences(calendar.happenings, use.owner, use.takes)
        copy = Copy(text, (), absences, calendar.complaints + complaints)
    return calendar.name[:LONGEST_TITLE], copy


class Calendars:
    """Renews calendars: what it works with, and how it tells the time."""

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        outgoing: Outgoing,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._outgoing = outgoing
        self._now = now
        self._draw = draw

    def renew_now(self, key: int) -> CalendarError | None:
        """Renew a calendar at once, whoever else may be at it; return what went wrong."""
        with writing(self._engine) as session:
            claims = claim_feeds(session, [key], self._now(), LEASE, force=True)
        return self.renew(key, claims[0].attempt) if claims else None

    def renew(self, key: int, attempt: int) -> CalendarError | None:
        """Fetch and keep a calendar if the attempt is still its latest; return what went wrong."""
        now = self._now()
        with reading(self._engine) as session:
            feed = get_feed(session, key)
            if feed is None or feed.attempt != attempt:
                log.debug("job.stale", calendar=key, attempt=attempt)
                return None
            old, company = copy_of(session, feed), load_company(session)
        use = Use(feed.owner_kind, feed.owner, feed.zone, feed.layer, feed.takes)
        try:
            name, copy = self._fresh(feed, old, use, company)
        except CalendarError as error:
            self._failed(feed, old, use, company, error)
            return error
        with writing(self._engine) as session:
            changed = save_copy(
                session,
                feed,
                copy,
                title=name if feed.url and name else feed.title,
                now=now,
                next_at=now + EVERY,
            )
        if feed.failing_since is not None:
            log.info("calendar.back", calendar=key)
        log.debug("calendar.read", calendar=key, changed=changed)
        return None

    def _fresh(self, feed: Feed, old: Copy, use: Use, company: Company) -> tuple[str, Copy]:
        now = self._now()
        fetched = Fetched(None, feed.etag, feed.modified)
        if feed.url is not None:
            try:
                address = self._vault.open(feed.url)
            except SecretError as error:
                raise FetchError(Fault.SECRET, str(error)) from None
            fetched = fetch(self._outgoing, address, feed.etag, feed.modified, now=now)
        text = old.body if fetched.text is None else fetched.text
        name, copy = understand(company, use, text, now)
        return name, replace(copy, etag=fetched.etag, modified=fetched.modified)

    def _failed(
        self, feed: Feed, old: Copy, use: Use, company: Company, error: CalendarError
    ) -> None:
        now = self._now()
        wait = min(_LONGEST_PAUSE, pause(feed.failures + 4, 0.5 + self._draw() / 2))
        if isinstance(error, FetchError) and error.wait is not None:
            wait = max(wait, min(error.wait, _LONGEST_WAIT))
        copy: Copy | None = None
        try:
            _, copy = understand(company, use, old.body, now)
        except CalendarError as worse:
            log.warning("calendar.copy_unread", calendar=feed.id, fault=worse.fault.value)
        since = feed.failing_since or now
        alert = feed.alerted_at is None and now - since >= ALERT_AFTER and feed.enabled
        with writing(self._engine) as session:
            mine = note_failure(
                session,
                feed,
                fault=error.fault.value,
                detail=error.detail[:300],
                now=now,
                next_at=now + wait,
            )
            if mine and copy is not None:
                copy = replace(copy, etag=feed.etag, modified=feed.modified)
                save_copy(
                    session,
                    feed,
                    copy,
                    title=feed.title,
                    now=now,
                    next_at=now + wait,
                    fetched=False,
                )
            if mine and alert:
                add_facts(session, [_fact(feed, error, since)], now)
                note_alert(session, feed.id, now)
        log.warning(
            "calendar.failed",
            calendar=feed.id,
            place=feed.place,
            fault=error.fault.value,
            failures=feed.failures + 1,
        )


def _fact(feed: Feed, error: CalendarError, since: datetime) -> Fact:
    return Fact(
        CALENDAR_FAILED,
        f"calendar:{feed.id}:{since.isoformat()}",
        {
            "calendar": feed.id,
            "title": feed.title,
            "owner_kind": feed.owner_kind.value,
            "owner": feed.owner,
            "fault": error.fault.value,
            "detail": error.detail[:300],
            "failing_since": since.isoformat(),
            "fetched_at": feed.fetched_at.isoformat(),
        },
    )


def zone_of(setup: Setup, use: Use) -> str:
    """Return the zone of times that have none."""
    if use.zone is not None:
        return use.zone
    group = setup.groups.get(use.owner)
    return "UTC" if group is None else group.roster.zone


def _mark(text: str | None) -> str | None:
    """Return an ETag or a date to be sent back, None when it is longer than any sensible one."""
    return text if text and len(text) <= 200 and text.isprintable() else None
