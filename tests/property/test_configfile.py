"""Whatever is set up: the file written from it reads as the same set-up, and so does the store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine

from telephony.configfile import (
    COMMAND_LINE,
    as_data,
    differences,
    put,
    read_config,
    read_data,
    write_config,
)
from telephony.domain.callback.rules import CallbackRules
from telephony.domain.did import Did
from telephony.domain.duty import Roster
from telephony.domain.hours import Hours
from telephony.domain.queueing import QueueSettings, Strategy
from telephony.domain.setup import Group, Operator, Setup
from telephony.store.engine import open_engine, reading, writing
from telephony.store.migrations import migrate
from telephony.store.setup import load_setup, replace_setup
from tests.property import rules
from tests.property.rosters import rosters

NOW = datetime(2026, 11, 25, tzinfo=UTC)
OPERATORS = {
    "101": Operator("101", "Анна: “да”", "101", "+79161110001", "102"),
    "102": Operator("102", "- Boris #1", "boris-desk"),
    "103": Operator("103", "null", "103"),
    "104": Operator("104", "{Vera}", "104", "+79161110004", None, "gsm.1"),
}


def setup_of(
    roster: Roster, hours: dict[str, Hours], dids: dict[str, Did], callbacks: CallbackRules
) -> Setup:
    queue = QueueSettings("2-nd", Strategy.LINEAR, 20, 0, 7200, "jazz", announce_wait=False)
    groups = {
        "sales": Group("sales", roster, queue, "office"),
        "no": Group("no", Roster("UTC"), QueueSettings("no", callback=False)),
    }
    absences = roster.absences
    groups["no"] = replace(groups["no"], roster=replace(groups["no"].roster, absences=absences))
    return Setup(
        OPERATORS,
        groups,
        dids,
        "sales",
        absences,
        hours=hours,
        trunks=rules.TRUNKS,
        mailboxes=rules.MAILBOXES,
        callbacks=callbacks,
    )


@settings(max_examples=150, deadline=None)
@given(rosters(), rules.hours(), rules.dids(), rules.callbacks())
def test_a_file_that_was_written_reads_the_same(
    made: tuple[Roster, datetime],
    hours: dict[str, Hours],
    dids: dict[str, Did],
    callbacks: CallbackRules,
) -> None:
    setup = setup_of(made[0], hours, dids, callbacks)
    text = write_config(setup)
    again, errors = read_config(text)
    assert errors == [], text
    assert again == setup, text
    assert differences(setup, again) == []
    assert read_data(as_data(setup)) == (setup, [])
    assert write_config(again) == text


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Give a database that is used again and again: what was before must be gone."""
    folder: Path = tmp_path_factory.mktemp("setup")
    url = f"sqlite:///{folder / 'setup.db'}"
    migrate(url)
    return open_engine(url)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(made=rosters(), hours=rules.hours(), dids=rules.dids(), callbacks=rules.callbacks())
def test_what_was_stored_is_loaded_the_same(
    engine: Engine,
    made: tuple[Roster, datetime],
    hours: dict[str, Hours],
    dids: dict[str, Did],
    callbacks: CallbackRules,
) -> None:
    setup = setup_of(made[0], hours, dids, callbacks)
    with writing(engine) as session:
        replace_setup(session, setup)
    with reading(engine) as session:
        assert load_setup(session) == setup
    assert put(engine, COMMAND_LINE, write_config(setup), now=NOW).differences == []
