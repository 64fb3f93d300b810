"""Missed calls: seen, changed and called back by the panel's own rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any, NoReturn, cast

from flask import Response, abort, g
from sqlalchemy.orm import Session

from telephony.accounts import ApiToken, Scope
from telephony.callbacks.asking import (
    Asker,
    Desk,
    Refusal,
    RefusedError,
    call_case,
    call_number,
    claim_case,
    close_case,
    close_cases,
    schedule_case,
)
from telephony.domain.callback.cases import Case, Ending
from telephony.domain.callback.results import Why
from telephony.domain.numbers import digits, normalise
from telephony.store.accounts import get_user
from telephony.store.attempts import Attempt, attempts_of
from telephony.store.case_lists import CaseFilter, every_case, find_cases
from telephony.store.cases import calls_of_case, get_case
from telephony.store.engine import reading, writing
from telephony.store.setup import load_setup
from web.api import caseshapes, schemas
from web.api.base import conflict, language, reads, refuse, writes
from web.api.clientfiles import CSV
from web.cases.asking import DAYS, numbers_of
from web.cases.export import MOST, as_csv, headings
from web.downloads import download
from web.notes import note_by_token
from web.refusals import refused_words
from web.services import services
from web.texts import gettext

_READ, _WRITE = Scope.CALLBACKS_READ, Scope.CALLBACKS_WRITE
_ONE = "/cases/<int:case_id>"
_BIGGEST = 2**63 - 1
_MOST = 500


@reads("/cases", _READ, caseshapes.CaseList, caseshapes.CasesQuery)
def cases(query: Mapping[str, Any]) -> dict[str, Any]:
    """List missed calls.

    Open ones the most urgent first, those that are over the latest first; `total` is exact.
    """
    with reading(services().engine) as session:
        page = find_cases(session, _where(query), services().now(), query["limit"], query["offset"])
    return {"items": [_line(one) for one in page.items], "total": page.total}


@reads("/cases.csv", _READ, {"type": "string"}, caseshapes.CasesFilter, media=CSV)
def cases_file(query: Mapping[str, Any]) -> Response:
    """Give missed calls as a CSV file: UTF-8, with commas, times in UTC."""
    offer = services()
    where, now, tongue, head = _where(query), offer.now(), language(), headings()

    def pieces() -> Iterator[str]:
        with reading(offer.engine) as session:
            yield from as_csv(every_case(session, where, now, MOST), head, "UTC", tongue, ",")

    return download(pieces(), "missed-calls", CSV, "csv")


@reads(_ONE, _READ, caseshapes.OneCase, schemas.Empty, one=True)
def one_case(query: Mapping[str, Any], case_id: int) -> dict[str, Any]:
    """Show one case with its missed calls and the tries to call back."""
    del query
    with reading(services().engine) as session:
        case = None if case_id > _BIGGEST else get_case(session, case_id)
        return abort(404) if case is None else _whole(session, case)


@writes("POST", f"{_ONE}/claim", _WRITE, caseshapes.OneCase, caseshapes.ClaimBody)
def hand_case(query: Mapping[str, Any], body: Mapping[str, Any], case_id: int) -> dict[str, Any]:
    """Give a case to an operator, or back to all."""
    del query
    who = body["operator"]

    def do(session: Session, desk: Desk) -> Case:
        if who is not None and who not in desk.setup.operators:
            refuse({"operator": [gettext("There is no such operator.")]})
        case = claim_case(session, desk, case_id, who, services().now())
        action = "callback.claimed" if who else "callback.returned"
        note_by_token(session, action, case.number, case=case_id, operator=who)
        return case

    return _changed(case_id, do)


@writes("POST", f"{_ONE}/call", _WRITE, caseshapes.OneCase, caseshapes.CallBody, status=202)
def call_back(query: Mapping[str, Any], body: Mapping[str, Any], case_id: int) -> dict[str, Any]:
    """Ring an operator, then the client of a case."""
    del query

    def do(session: Session, desk: Desk) -> Case:
        who = _asker(session, body.get("extension"))
        case = call_case(session, desk, case_id, who, services().now())
        note_by_token(
            session, "callback.called", case.number, case=case_id, extension=who.extension
        )
        return case

    return _changed(case_id, do)


@writes("POST", f"{_ONE}/schedule", _WRITE, caseshapes.OneCase, caseshapes.ScheduleBody)
def schedule_callback(
    query: Mapping[str, Any], body: Mapping[str, Any], case_id: int
) -> dict[str, Any]:
    """Promise the client a call at a moment."""
    del query
    at = body["at"]

    def do(session: Session, desk: Desk) -> Case:
        case = schedule_case(session, desk, case_id, at, services().now())
        note_by_token(session, "callback.scheduled", case.number, case=case_id, at=at.isoformat())
        return case

    return _changed(case_id, do)


@writes("POST", f"{_ONE}/close", _WRITE, caseshapes.OneCase, caseshapes.CloseBody)
def end_case(query: Mapping[str, Any], body: Mapping[str, Any], case_id: int) -> dict[str, Any]:
    """End a case. With `opted_out` its number is not called any more."""
    del query
    return _changed(case_id, lambda session, _: _close(session, case_id, body))


@writes(
    "POST",
    "/cases/bulk-close",
    _WRITE,
    caseshapes.BulkClosed,
    caseshapes.BulkCloseBody,
    one=False,
)
def end_cases(query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """End many cases alike; those that cannot be ended are told and left."""
    del query
    ending, text = body["ending"], body["note"]
    closed: list[int] = []
    refused: list[dict[str, Any]] = []
    with writing(services().engine) as session:
        who = token_asker(session)
        told = close_cases(session, body["ids"], ending, who, text, services().now())
        for key, one in told.items():
            if isinstance(one, Refusal):
                words = refused_words(RefusedError(one))
                refused.append({"id": key, "code": one.value, "words": words})
            else:
                _note_end(session, one, ending, text)
                closed.append(key)
    return {"closed": closed, "refused": refused}


@writes("POST", "/calls/click", _WRITE, caseshapes.Ordered, caseshapes.ClickBody, status=202)
def click_to_call(query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Ring an operator, then a number that a client has, that called before, or that has a case.

    One with an open case is called for it.
    """
    del query
    offer = services()
    number = normalise(body["number"], offer.settings.country)
    if number is None:
        refuse({"number": [gettext("This is no telephone number.")]})
    try:
        with writing(offer.engine) as session:
            desk = Desk(load_setup(session), offer.settings.country)
            who = _asker(session, body.get("extension"))
            call_number(session, desk, number, who, offer.now())
            note_by_token(session, "callback.called", number, extension=who.extension)
    except RefusedError as error:
        refused(error)
    return {"number": number, "extension": who.extension}


def refused(error: RefusedError) -> NoReturn:
    """Answer 404 for what does not exist, 409 for what was refused: the code and, in words, why."""
    if error.why is Refusal.GONE:
        abort(404)
    code = error.why.value if error.bar is None else error.bar.value
    words = refused_words(error)
    said = {"in": "", "name": "", "code": code, "detail": words}
    if error.until is not None:
        said["until"] = error.until.isoformat().replace("+00:00", "Z")
    conflict(words, [said])


def token_asker(session: Session) -> Asker:
    """Return whoever made the token of this request, and their extension."""
    maker = get_user(session, cast(ApiToken, g.token).user_id)
    if maker is None:
        abort(401)
    return Asker(maker.login, maker.extension or None)


def _asker(session: Session, extension: str | None) -> Asker:
    maker = token_asker(session)
    return maker if extension is None else Asker(maker.login, extension)


def _changed(case_id: int, do: Callable[[Session, Desk], Case]) -> dict[str, Any]:
    if case_id > _BIGGEST:
        abort(404)
    offer = services()
    try:
        with writing(offer.engine) as session:
            case = do(session, Desk(load_setup(session), offer.settings.country))
            return _whole(session, case)
    except RefusedError as error:
        refused(error)


def _close(session: Session, key: int, body: Mapping[str, Any]) -> Case:
    ending, text = body["ending"], body["note"]
    who = token_asker(session)
    case = close_case(session, key, ending, who, text, services().now())
    _note_end(session, case, ending, text)
    return case


def _note_end(session: Session, case: Case, ending: Ending, text: str) -> None:
    if ending is Ending.OPTED_OUT:
        note_by_token(session, "optout.added", case.number, case=case.id, reason=text)
    else:
        note_by_token(
            session, "callback.closed", case.number, case=case.id, ending=ending.value, reason=text
        )


def _where(query: Mapping[str, Any]) -> CaseFilter:
    offer = services()
    number, tail = numbers_of(query.get("number", ""), offer.settings.country)
    since = query.get("since")
    if since is None and number is None and query.get("client_id") is None:
        since = (query.get("until") or offer.now()) - timedelta(days=DAYS)
    did = query.get("did")
    return CaseFilter(
        view=query["view"],
        me=query.get("me", ""),
        did=None if did is None else digits(did),
        group=query.get("group"),
        operator=query.get("operator"),
        why=query.get("why"),
        source=query.get("source"),
        number=number,
        tail=tail,
        name=query.get("name") or None,
        client_id=query.get("client_id"),
        since=since,
        until=query.get("until"),
    )


def _line(case: Case) -> dict[str, Any]:
    return asdict(case)


def _whole(session: Session, case: Case) -> dict[str, Any]:
    calls = calls_of_case(session, case.id, _MOST)
    return _line(case) | {
        "calls": [
            {"call_id": row.call_id, "at": row.at, "why": Why(row.why), "did": row.did}
            for row in calls
        ],
        "attempts": [_attempt(one) for one in attempts_of(session, case.id, _MOST)],
    }


def _attempt(one: Attempt) -> dict[str, Any]:
    return asdict(one) | {"call_id": one.uniqueid}
