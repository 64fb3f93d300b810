"""Who would get a call, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telephony.accounts import Scope
from telephony.asking import all_free, ask, seen_now
from telephony.domain.numbers import digits, normalise
from telephony.domain.routing import Question
from telephony.store.engine import reading
from telephony.store.setup import load_setup
from web.api import setupshapes
from web.api.base import language, reads, refuse
from web.api.calls import told_plan, told_trace
from web.services import services
from web.texts import gettext


@reads("/explain", Scope.SETUP_READ, setupshapes.Explained, setupshapes.ExplainQuery)
def explain(query: Mapping[str, Any]) -> dict[str, Any]:
    """Say who would get a call, and why: the decision that live calls get.

    Set-up, clients and block list are always those of today.
    """
    offer = services()
    number = query["number"].strip()
    caller = normalise(number, offer.settings.country) if number else ""
    if caller is None:
        refuse({"number": [gettext("This is not a phone number.")]}, "query")
    now = offer.now()
    question = Question(digits(query["did"]), caller, query.get("at", now), query["key"])
    with reading(offer.engine) as session:
        setup = load_setup(session)
        live = "at" not in query
        seen = seen_now(session, setup, now) if live else all_free(setup)
        decision = ask(session, question, setup, seen)
    names = {one.extension: one.name for one in setup.operators.values()}
    return {
        "did": question.did,
        "number": question.number,
        "at": question.at,
        "phones": "seen" if live else "free",
        "plan": told_plan(decision, names, language()),
        "trace": told_trace(decision, language()),
    }
