"""Who would get a call, and why: the question asked outside of a call, of the stored set-up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy.orm import Session

from telephony.domain.directory import Client
from telephony.domain.routing import Decision, Question, Situation, decide
from telephony.domain.setup import Setup
from telephony.store.clients import find_owners, get_clients
from telephony.store.live import list_operator_states
from telephony.store.switches import find_switches
from telephony.store.talks import last_talk


def ask(session: Session, question: Question, setup: Setup, devices: Mapping[str, str]) -> Decision:
    """Return what `decide` makes of a question, by the stored clients and calls.

    `setup` may be one that is not stored: a what-if. Calls that came after the question's moment do
    not count.
    """
    number = question.number
    last = None
    if number and setup.last_talk_days:
        since = question.at - timedelta(days=setup.last_talk_days)
        last = last_talk(session, number, since, question.at)
    situation = Situation(_client(session, number), devices, last)
    return decide(question, situation, setup)


def all_free(setup: Setup) -> dict[str, str]:
    """Return the devices as they are when every desk phone is registered and free."""
    return {f"PJSIP/{operator.endpoint}": "NOT_INUSE" for operator in setup.operators.values()}


def seen_devices(session: Session, setup: Setup) -> dict[str, str]:
    """Return the desk phones and switches as the listener saw them last, without unseen ones."""
    states = {one.extension: one.device_state for one in list_operator_states(session)}
    phones = {
        f"PJSIP/{operator.endpoint}": states[extension]
        for extension, operator in setup.operators.items()
        if extension in states
    }
    return phones | {name: one.state for name, one in find_switches(session).items() if one.state}


def _client(session: Session, number: str) -> Client | None:
    owner = find_owners(session, [number]).get(number) if number else None
    if owner is None:
        return None
    data = get_clients(session, [owner])[owner]
    return Client(owner, data.name, data.assignment)
