"""Who would get a call, and why: the question asked outside of a call, of the stored set-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from telephony.domain.directory import Client
from telephony.domain.pauses import PauseKind
from telephony.domain.routing import Decision, Question, Situation, decide
from telephony.domain.setup import Setup
from telephony.store.clients import find_owners, get_clients
from telephony.store.live import list_operator_states, list_processes
from telephony.store.switches import find_switches
from telephony.store.talks import last_talk


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen of phones: Asterisk's states by device, and who rests after a call."""

    devices: Mapping[str, str]
    wrapping: frozenset[str] = frozenset()


def ask(session: Session, question: Question, setup: Setup, seen: Seen) -> Decision:
    """Return what `decide` makes of a question, by the stored clients and calls.

    `setup` may be one that is not stored: a what-if. Calls that came after the question's moment do
    not count.
    """
    number = question.number
    last = None
    if number and setup.last_talk_days:
        since = question.at - timedelta(days=setup.last_talk_days)
        last = last_talk(session, number, since, question.at)
    situation = Situation(_client(session, number), seen.devices, last, seen.wrapping)
    return decide(question, situation, setup)


def ask_at(session: Session, question: Question, setup: Setup, now: datetime) -> Decision:
    """Return the same with the phones as they are when it is asked of `now`, else as if free."""
    seen = seen_now(session, setup, now) if question.at == now else all_free(setup)
    return ask(session, question, setup, seen)


def all_free(setup: Setup) -> Seen:
    """Return what is seen when every desk phone is registered and free, and nobody rests."""
    return Seen(
        {f"PJSIP/{operator.endpoint}": "NOT_INUSE" for operator in setup.operators.values()}
    )


def seen_now(session: Session, setup: Setup, now: datetime) -> Seen:
    """Return what the listener saw last of desk phones, switches and rests; `now` is aware."""
    states = {one.extension: one.device_state for one in list_operator_states(session)}
    phones = {
        f"PJSIP/{operator.endpoint}": states[extension]
        for extension, operator in setup.operators.items()
        if extension in states
    }
    switches = {name: one.state for name, one in find_switches(session).items() if one.state}
    return Seen(phones | switches, resting(session, now))


def resting(session: Session, now: datetime) -> frozenset[str]:
    """Return who rests after a call: the listener knows, and nobody does while it is gone."""
    if not any(one.part == "listener" and one.is_alive(now) for one in list_processes(session)):
        return frozenset()
    return frozenset(
        one.extension
        for one in list_operator_states(session)
        if one.pause == PauseKind.WRAP_UP.value
    )


def _client(session: Session, number: str) -> Client | None:
    owner = find_owners(session, [number]).get(number) if number else None
    if owner is None:
        return None
    data = get_clients(session, [owner])[owner]
    return Client(owner, data.name, data.assignment)
