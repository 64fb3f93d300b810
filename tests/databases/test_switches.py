"""Requests for the PBX's switches: done once, answered by the PBX, never forgotten silently."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from telephony.domain.pauses import closed_device, pause_device
from telephony.store.engine import reading, writing
from telephony.store.switches import (
    NOT_TAKEN,
    NOT_TOLD,
    Switch,
    ask_switch,
    find_switches,
    save_switches,
    take_switches,
)
from telephony.switching import Switching

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DEVICE = pause_device("101")


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def ask(engine: Engine, state: str = "BUSY", at: datetime = NOW) -> None:
    with writing(engine) as session:
        ask_switch(session, DEVICE, state, at)


def take(engine: Engine, at: datetime) -> list[tuple[str, str]]:
    with writing(engine) as session:
        return take_switches(session, at)


def told(engine: Engine, states: Mapping[str, str], at: datetime) -> None:
    with writing(engine) as session:
        save_switches(session, states, at)


def known(engine: Engine) -> Switch:
    with reading(engine) as session:
        return find_switches(session)[DEVICE]


def test_a_request_is_taken_once_and_done_when_the_pbx_tells(engine: Engine) -> None:
    ask(engine)
    assert known(engine).pending
    assert take(engine, later(1)) == [(DEVICE, "BUSY")]
    assert take(engine, later(2)) == []
    assert known(engine).pending
    told(engine, {DEVICE: "BUSY"}, later(2))
    assert known(engine) == Switch(DEVICE, "BUSY", later(2), asked_at=NOW)
    # The same once more changes nothing.
    told(engine, {DEVICE: "BUSY"}, later(60))
    assert known(engine).since == later(2)


def test_what_the_pbx_tells_otherwise_leaves_the_request_open(engine: Engine) -> None:
    ask(engine)
    take(engine, later(1))
    told(engine, {DEVICE: "ONHOLD"}, later(2))
    assert (known(engine).state, known(engine).pending) == ("ONHOLD", True)


def test_a_request_that_nobody_took_in_time_is_not_done_later(engine: Engine) -> None:
    ask(engine)
    assert take(engine, later(11)) == []
    assert (known(engine).pending, known(engine).problem) == (False, NOT_TAKEN)


def test_a_request_of_which_the_pbx_did_not_tell_is_a_problem(engine: Engine) -> None:
    ask(engine)
    take(engine, later(1))
    assert take(engine, later(7)) == []
    assert (known(engine).pending, known(engine).problem) == (False, NOT_TOLD)
    ask(engine, "NOT_INUSE", later(8))
    assert known(engine).problem is None
    assert take(engine, later(8)) == [(DEVICE, "NOT_INUSE")]


def test_a_request_for_what_is_so_already_is_done_when_it_is_taken(engine: Engine) -> None:
    told(engine, {DEVICE: "BUSY"}, NOW)
    ask(engine)
    assert take(engine, later(1)) == [(DEVICE, "BUSY")]
    assert (known(engine).pending, known(engine).problem) == (False, None)


@pytest.mark.parametrize(("device", "state"), [("PJSIP/101", "BUSY"), (DEVICE, "RINGING")])
def test_nothing_else_can_be_asked_for(engine: Engine, device: str, state: str) -> None:
    with pytest.raises(ValueError, match="no switch"), writing(engine) as session:
        ask_switch(session, device, state, NOW)


def test_the_thread_carries_both_ways(engine: Engine) -> None:
    done: list[tuple[str, str]] = []
    switching = Switching(engine, lambda device, state: done.append((device, state)))
    with writing(engine) as session:
        ask_switch(session, closed_device(), "INUSE", datetime.now(UTC))
    switching.look()
    assert done == [(closed_device(), "INUSE")]
    switching.seen({closed_device(): "INUSE", DEVICE: "NOT_INUSE"})
    switching.look()
    switching.look()
    with reading(engine) as session:
        found = find_switches(session)
    assert {name: one.state for name, one in found.items()} == {
        closed_device(): "INUSE",
        DEVICE: "NOT_INUSE",
    }
    assert not any(one.pending for one in found.values())
    assert done == [(closed_device(), "INUSE")]
