"""Who would get a call, and why: by the set-up of today, and with a change that is not made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from telephony.accounts import Scope
from telephony.asking import ask_at
from telephony.configfile import Change
from telephony.domain.numbers import digits, normalise
from telephony.domain.routing import Question
from telephony.domain.setup import Setup
from telephony.store.engine import reading
from telephony.store.setup import load_setup
from web.api import setupshapes
from web.api.base import language, reads, refuse, writes
from web.api.calls import told_plan, told_trace
from web.api.changing import change_setup, told_differences
from web.api.editing import placing, whole
from web.services import services
from web.texts import gettext


@reads("/explain", Scope.SETUP_READ, setupshapes.Explained, setupshapes.ExplainQuery)
def explain(query: Mapping[str, Any]) -> dict[str, Any]:
    """Say who would get a call, and why: the decision that live calls get.

    Set-up, clients and block list are always those of today.
    """
    now = services().now()
    question = _question(query, now, "query")
    with reading(services().engine) as session:
        answer = _answer(session, question, load_setup(session), now)
    return _asked(question, now) | answer


@writes(
    "POST", "/explain", Scope.SETUP_READ, setupshapes.WhatIf, setupshapes.WhatIfBody, status=200
)
def explain_change(query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Say who would get a call as the set-up is, and with a change; nothing is stored.

    The change is a whole set-up (`setup`), or one entry (`change`), as `PUT` takes them.
    """
    del query
    now = services().now()
    question = _question(body, now, "json")
    tried = _tried(body)
    with reading(services().engine) as session:
        stored = _answer(session, question, tried.before, now)
        changed = _answer(session, question, tried.after, now)
    return _asked(question, now) | {
        "version": tried.version,
        "stored": stored,
        "changed": changed,
        "differences": told_differences(tried.differences),
    }


def _question(sent: Mapping[str, Any], now: datetime, place: str) -> Question:
    number = sent["number"].strip()
    caller = normalise(number, services().settings.country) if number else ""
    if caller is None:
        refuse({"number": [gettext("This is not a phone number.")]}, place)
    return Question(digits(sent["did"]), caller, sent.get("at", now), sent["key"])


def _tried(body: Mapping[str, Any]) -> Change:
    if ("setup" in body) == ("change" in body):
        refuse({"setup": [gettext("Send either setup or change.")]})
    if "setup" in body:
        return change_setup(whole(body["setup"]), None, dry_run=True)
    one = body["change"]
    edit, renamed = placing(one["section"], one["key"], one["entry"])
    return change_setup(edit, None, renamed, dry_run=True)


def _asked(question: Question, now: datetime) -> dict[str, Any]:
    return {
        "did": question.did,
        "number": question.number,
        "at": question.at,
        "phones": "seen" if question.at == now else "free",
    }


def _answer(session: Session, question: Question, setup: Setup, now: datetime) -> dict[str, Any]:
    decision = ask_at(session, question, setup, now)
    names = {one.extension: one.name for one in setup.operators.values()}
    return {
        "plan": told_plan(decision, names, language()),
        "trace": told_trace(decision, language()),
    }
