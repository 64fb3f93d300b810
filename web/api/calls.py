"""Calls: the list with its filters, one call with all that is known of it, and live ones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import abort

from telephony.accounts import Scope
from telephony.domain.live import LiveCall
from telephony.domain.numbers import digits
from telephony.domain.record import CallRecord, LegRecord
from telephony.domain.routing import Decision
from telephony.store.asked import asked, asked_number
from telephony.store.call_lines import CallLine, find_calls
from telephony.store.calls import get_call
from telephony.store.engine import reading
from telephony.store.live import list_live_calls
from telephony.store.search import Filter
from telephony.store.setup import load_setup
from telephony.store.tables import moment, optional_moment
from telephony.words import say_checked, say_moment, say_step
from web.api import schemas
from web.api.base import language, reads
from web.i18n import phone
from web.services import services

_CALL_ID = re.compile(r"[\w.:@-]{1,100}", re.ASCII)


@reads("/calls", Scope.CALLS_READ, schemas.CallList, schemas.CallsQuery)
def calls(query: Mapping[str, Any]) -> dict[str, Any]:
    """List calls.

    By their beginning; `total` is exact.
    """
    offer = services()
    did = query.get("did")
    where = Filter(
        since=query.get("since"),
        until=query.get("until"),
        did=None if did is None else digits(did),
        operator=query.get("operator"),
        disposition=query.get("disposition"),
        direction=query.get("direction"),
        client_id=query.get("client_id"),
    )
    with reading(offer.engine) as session:
        if query.get("q"):
            where = asked(session, where, query["q"], offer.settings.country).where
        if query.get("number"):
            # What is no number is nobody's number.
            narrowed = asked_number(where, query["number"], offer.settings.country)
            where = narrowed or replace(where, clients=())
        page = find_calls(session, where, query["limit"], query["offset"], query["order"])
    return {"items": page.items, "total": page.total}


@reads("/calls/<call_id>", Scope.CALLS_READ, schemas.OneCall, schemas.Empty, one=True)
def one_call(query: Mapping[str, Any], call_id: str) -> dict[str, Any]:
    """Show one call.

    With its legs, what happened on the way, the plan, and the trace of the decision in words.
    """
    del query
    if not _CALL_ID.fullmatch(call_id):
        abort(404)
    with reading(services().engine) as session:
        record = get_call(session, call_id)
        setup = load_setup(session)
    if record is None:
        abort(404)
    names = {one.extension: one.name for one in setup.operators.values()}
    return told(record, names, language())


@reads("/live/calls", Scope.CALLS_READ, schemas.LiveCallList, schemas.Empty)
def live_calls(query: Mapping[str, Any]) -> dict[str, Any]:
    """List the calls that go on now, the longest first."""
    del query
    with reading(services().engine) as session:
        items = [_live(one) for one in list_live_calls(session)]
    return {"items": items, "total": len(items)}


def told(record: CallRecord, names: Mapping[str, str], tongue: str) -> dict[str, Any]:
    """Return a record as the API tells it, its codes with words in a language."""
    plain = {name: getattr(record, name) for name in CallLine.__slots__}
    for name in ("started_at", "answered_at", "ended_at"):
        plain[name] = optional_moment(plain[name])
    return plain | {
        "decided_ms": record.decided_ms,
        "legs": [_leg(leg) for leg in record.legs],
        "moments": [
            {
                "at": moment(one.at),
                "kind": one.kind,
                "values": dict(one.values),
                "words": say_moment(one, names, tongue, phone),
            }
            for one in record.moments
        ],
        "plan": None if record.decision is None else told_plan(record.decision, names, tongue),
        "trace": None if record.decision is None else told_trace(record.decision, tongue),
    }


def _leg(leg: LegRecord) -> dict[str, Any]:
    plain = {name: getattr(leg, name) for name in LegRecord.__slots__}
    return plain | {
        "rang_at": optional_moment(leg.rang_at),
        "ended_at": optional_moment(leg.ended_at),
        "talks": _spans(leg.talks),
        "holds": _spans(leg.holds),
    }


def _spans(spans: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    return [{"begin": moment(begin), "end": moment(end)} for begin, end in spans]


def told_plan(decision: Decision, names: Mapping[str, str], tongue: str) -> list[dict[str, Any]]:
    """Return the steps of a plan with words in a language."""
    return [
        {
            "kind": step.kind,
            "rule": step.rule,
            "seconds": step.seconds,
            "targets": step.targets,
            "words": say_step(step, names, tongue, phone),
        }
        for step in decision.plan.steps
    ]


def told_trace(decision: Decision, tongue: str) -> list[dict[str, Any]]:
    """Return the lines of a trace with words in a language."""
    return [
        {
            "rule": line.rule,
            "used": line.used,
            "reason": line.reason,
            "values": dict(line.values),
            "words": say_checked(line, tongue, phone),
        }
        for line in decision.trace
    ]


def _live(call: LiveCall) -> dict[str, Any]:
    plain = {name: getattr(call, name) for name in LiveCall.__slots__}
    for name in ("since", "started_at", "answered_at", "queued_at"):
        plain[name] = optional_moment(plain[name])
    return plain
