"""Everything that counts when a client is to be called, read at one moment."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from telephony.domain.callback.cases import Case
from telephony.domain.callback.dialling import prefix_of, refusal
from telephony.domain.callback.quiet import client_zone
from telephony.domain.callback.verdicts import Standing
from telephony.domain.setup import Setup
from telephony.store.attempts import is_tried, tries_of
from telephony.store.cases import opted_out, stopped
from telephony.store.clients import zones_of
from telephony.store.directory import current_version
from telephony.store.live import has_live_call, list_processes
from telephony.store.setup import load_setup


class KnownSetup:
    """The set-up, read again only when it changed. For one thread at a time."""

    def __init__(self) -> None:
        self._version = -1
        self._setup = Setup()

    def read(self, session: Session) -> Setup:
        """Return the set-up as the session sees it."""
        version = current_version(session).setup_version
        if version != self._version:
            self._setup = load_setup(session)
            self._version = version
        return self._setup


def standing_for(
    session: Session,
    setup: Setup,
    country: str,
    number: str,
    did: str,
    now: datetime,
    this: int | None = None,
) -> Standing:
    """Return what counts for a call to a number (E.164) at an aware moment.

    `did` is the number of ours that they had called: its hours hold. `country` is the company's.
    `this` is the try that is asked for, which is not in its own way.
    """
    rules = setup.callbacks
    known = setup.dids.get(did)
    name = known.group if known else setup.default_group
    group = setup.groups.get(name) if name else None
    hours = setup.hours_of(known) if known else None
    opens_at = None
    never = False
    if hours is not None and not hours.at(now).open:
        opens_at = hours.opens_after(now)
        never = opens_at is None
    zone = group.roster.zone if group else "UTC"
    return Standing(
        now=now,
        zones=client_zone(number, zones_of(session, [number]).get(number), zone),
        tries=tries_of(session, number, prefix_of(number), now),
        opens_at=opens_at,
        never_opens=never,
        refusal=refusal(number, rules.regions or (country,), rules.types),
        stopped=stopped(session) is not None,
        blocked=setup.blocked.find(number, now) is not None,
        opted_out=bool(opted_out(session, [number])),
        on_the_line=has_live_call(session, number) or is_tried(session, number, this),
    )


def standing_of(
    session: Session, setup: Setup, country: str, case: Case, now: datetime
) -> Standing:
    """Return what counts for a case."""
    return standing_for(session, setup, country, case.number, case.did, now)


def is_watched(session: Session, now: datetime) -> bool:
    """Tell whether a listener hears what becomes of calls: without one none is placed."""
    return any(
        one.part == "listener" and one.ready and one.is_alive(now)
        for one in list_processes(session)
    )
