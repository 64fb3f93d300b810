"""What missed calls ask for: whose clients they are of, until when they are promised a call, and
whether somebody has talked to them since. Read from the database once for a batch of calls.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from telephony.domain.callback.cases import Ending, Source, Wish
from telephony.domain.callback.dialling import refusal
from telephony.domain.callback.quiet import after_loud, client_zone
from telephony.domain.callback.results import Contact, Why, waits_since, was_promised
from telephony.domain.callback.rules import CallbackRules
from telephony.domain.directory import Stage, assign
from telephony.domain.numbers import is_e164
from telephony.domain.record import CallRecord, Direction
from telephony.domain.record_types import MomentKind
from telephony.domain.routing import Kind
from telephony.store.blocklist import blocked_of
from telephony.store.call_tables import call
from telephony.store.cases import opted_out
from telephony.store.clients import client, zones_of
from telephony.store.setup import did, operator_group
from telephony.store.tables import moment

_FEW = 20
_LONGEST_RING = timedelta(minutes=30)
_PROMISES = (MomentKind.PROMISED, MomentKind.CALLBACK_ASKED)
_PHONES = (Kind.DESK, Kind.MOBILE)


@dataclass(frozen=True, slots=True)
class _Known:
    """Who looks after a client, and whether they are a VIP."""

    manager: str | None = None
    vip: bool = False


class Wishes:
    """Reads what is around missed calls, each group and each client once.

    For one transaction: what was read is taken to stay as it is.
    """

    def __init__(self, session: Session, rules: CallbackRules, country: str, now: datetime) -> None:
        """`country` is the company's: by it numbers are judged where the rules name no region."""
        self._session = session
        self._now = now
        self._rules = rules
        self._country = country
        self._groups: dict[str, tuple[str | None, str]] = {}
        self._clients: dict[int | None, _Known] = {None: _Known()}
        # By number, as for whoever dials it: its client may have been added after the call.
        self._zones: dict[str, str | None] = {}
        self._quiet: set[str] = set()
        self._barred: dict[str, Ending | None] = {}

    def look_ahead(self, records: Collection[CallRecord]) -> None:
        """Read at once what `of` and `deadline` need, and to whom nobody has talked since."""
        self._read_groups({record.did for record in records})
        self._read_clients({one.client_id for one in records if one.client_id is not None})
        numbers = {record.number for record in records if is_e164(record.number)}
        if not numbers:
            return
        self._read_zones(numbers)
        self._read_barred(numbers)
        earliest = min(waits_since(record) for record in records)
        c = call.c
        query = select(c.number).where(
            c.number.in_(sorted(numbers)),
            c.started_at >= earliest - _LONGEST_RING,
            c.answered_at >= earliest,
        )
        self._quiet = numbers - set(self._session.execute(query.distinct()).scalars())

    def of(self, record: CallRecord, why: Why) -> Wish:
        """Return what a missed call asks for."""
        group, _ = self._group(record.did)
        known = self._client(record.client_id)
        promised = was_promised(record) or any(one.kind in _PROMISES for one in record.moments)
        diallable = is_e164(record.number)
        if diallable and record.number not in self._barred:
            self._read_barred({record.number})
        return Wish(
            number=record.number,
            why=why,
            since=waits_since(record),
            at=moment(record.ended_at),
            source=Source.KEY if promised else Source.MISSED,
            diallable=diallable,
            barred=self._barred[record.number] if diallable else None,
            did=record.did,
            group=group,
            client_id=record.client_id,
            client_name=record.client_name,
            owner=known.manager or _on_duty(record),
            priority=int(known.vip),
        )

    def deadline(self, wish: Wish) -> datetime | None:
        """Return until when a client is promised a call: the clock stands still in quiet hours."""
        if wish.promised_at is not None:
            return wish.promised_at + timedelta(minutes=self._rules.sla_minutes)
        if not wish.diallable:
            return None
        _, zone = self._group(wish.did)
        if wish.number not in self._zones:
            self._read_zones({wish.number})
        zones = client_zone(wish.number, self._zones[wish.number], zone)
        return after_loud(self._rules.quiet, zones, wish.since, self._rules.sla_minutes)

    def contact_since(self, wish: Wish) -> Contact | None:
        """Return the first conversation with a client that began after they had called in vain."""
        if not wish.diallable or wish.why is Why.SHORT or wish.number in self._quiet:
            return None
        c = call.c
        query = (
            select(c.call_id, c.direction, c.answered_at, c.ended_at, c.talk_ms)
            .add_columns(c.answered_by, c.placed_by)
            .where(
                c.number == wish.number,
                c.started_at >= wish.since - _LONGEST_RING,
                c.answered_at >= wish.since,
                c.direction != Direction.INTERNAL.value,
            )
            .order_by(c.answered_at, c.id)
            .limit(_FEW)
        )
        for row in self._session.execute(query):
            ours = row.direction == Direction.OUT.value
            talked = row.placed_by if ours else row.answered_by
            if row.talk_ms >= self._rules.least_talk(row.call_id, ours=ours) * 1000:
                return Contact(
                    row.call_id, wish.number, row.answered_at, row.ended_at, ours, talked
                )
        return None

    def _group(self, number: str) -> tuple[str | None, str]:
        """Return a DID's group and its zone; the default group's, then none, for one unknown."""
        if number not in self._groups:
            self._read_groups({number})
        return self._groups[number]

    def _client(self, client_id: int | None) -> _Known:
        if client_id is not None and client_id not in self._clients:
            self._read_clients({client_id})
        return self._clients[client_id]

    def _read_zones(self, numbers: Collection[str]) -> None:
        self._zones |= {**dict.fromkeys(numbers), **zones_of(self._session, numbers)}

    def _read_barred(self, numbers: Collection[str]) -> None:
        """Read who is never to be called: whoever asked for that, is blocked, or costs too much."""
        rules = self._rules
        out = opted_out(self._session, numbers)
        blocked = blocked_of(self._session, numbers, self._now)
        for number in numbers:
            ending = None
            if refusal(number, rules.regions or (self._country,), rules.types) is not None:
                ending = Ending.NOT_DIALLABLE
            elif number in blocked:
                ending = Ending.BLOCKED
            elif number in out:
                ending = Ending.OPTED_OUT
            self._barred[number] = ending

    def _read_groups(self, numbers: Collection[str]) -> None:
        if not numbers:
            return
        g = operator_group.c
        query = (
            select(did.c.number, g.name, g.zone)
            .join_from(did, operator_group, did.c.group_name == g.name)
            .where(did.c.number.in_(sorted(numbers)))
        )
        found = {row.number: (row.name, row.zone) for row in self._session.execute(query)}
        if unknown := set(numbers) - found.keys():
            usual = self._session.execute(select(g.name, g.zone).where(g.is_default)).first()
            group = (None, "UTC") if usual is None else (usual.name, usual.zone)
            found |= dict.fromkeys(unknown, group)
        self._groups |= found

    def _read_clients(self, clients: Collection[int]) -> None:
        if not clients:
            return
        self._clients |= dict.fromkeys(clients, _Known())
        rows = self._session.execute(select(client).where(client.c.id.in_(sorted(clients))))
        for row in rows:
            one = assign(Stage(row.stage), row.manager, row.sales_manager, row.deputy, row.vip)
            self._clients[row.id] = _Known(one.manager, one.vip)


def _on_duty(record: CallRecord) -> str | None:
    """Return the operator whom the plan of a call would have rung first for its group."""
    steps = record.decision.plan.steps if record.decision else ()
    rung = (target for step in steps if step.kind in _PHONES for target in step.targets)
    return next((target.operator for target in rung if target.operator), None)
