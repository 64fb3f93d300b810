"""The queues of groups in the panel."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import time

import pytest
from sqlalchemy import Engine

from telephony.domain.duty import Roster, Shift
from telephony.domain.live import LiveCall, OperatorActivity, OperatorState
from telephony.domain.queueing import QueueSettings, Strategy
from telephony.domain.record import Direction
from telephony.domain.setup import Group, Operator, Setup
from telephony.store.engine import reading, writing
from telephony.store.live import Process, save_live_calls, save_operator_states, save_process
from telephony.store.setup import load_setup, replace_setup
from telephony.store.tables import microseconds
from tests.panel.people import START, Browser, Panel
from tests.panel.test_clients_editing import errors

FIELDS = {
    "name": "sales-1",
    "strategy": "rrmemory",
    "ring_seconds": "20",
    "wrapup_seconds": "0",
    "max_wait_seconds": "90",
    "music": "jazz",
    "announce_wait": "y",
    "announce_seconds": "60",
}
MADE = QueueSettings(
    "sales-1", Strategy.RRMEMORY, 20, 0, 90, "jazz", False, True, 60, callback=False
)


@pytest.fixture
def panel(quick_panel: Panel) -> Panel:
    """Give a panel on SQLite: what it changes is stored by what is tested on both databases."""
    return quick_panel


@pytest.fixture
def admin(panel: Panel) -> Browser:
    """Give an admin's browser over a panel with two groups."""
    groups = {
        "Sales 1": Group("Sales 1", Roster("UTC")),
        "b/<b>": Group("b/<b>", Roster("UTC"), QueueSettings("taken")),
    }
    with writing(panel.engine) as session:
        replace_setup(session, Setup({}, groups))
    return panel.signed_in("admin")


def queue(engine: Engine, group: str = "Sales 1") -> QueueSettings | None:
    with reading(engine) as session:
        return load_setup(session).groups[group].queue


def test_a_group_gets_a_queue_and_undo_takes_it_back(panel: Panel, admin: Browser) -> None:
    page = admin.get("/queues/Sales 1").text
    assert 'value="sales-1"' in page, "a name made of the group's"
    answer = admin.send("/queues/Sales 1", **FIELDS)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/queues")
    assert queue(panel.engine) == MADE
    page = admin.get("/queues").text
    assert "Now bring it to the PBX: dutyline pbx-config" in page
    assert "run dutyline pbx-config" in page
    assert "run dutyline pbx-config" in admin.get("/queues/Sales 1").text
    assert "dutyline-sales-1" in page
    assert "Undo" in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "Sales 1"}, "a-z"),
        ({"name": ""}, "1 to"),
        ({"name": "taken"}, "another group"),
        ({"ring_seconds": "4"}, "5 to 120"),
        ({"max_wait_seconds": "x"}, "10 to 7200"),
        ({"strategy": "best"}, "ringall"),
        ({"music": "a b"}, "musiconhold"),
        ({"seen": "0"}, "meanwhile"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_lost(
    panel: Panel, admin: Browser, changes: dict[str, str], words: str
) -> None:
    answer = admin.send("/queues/Sales 1", **{**FIELDS, **changes})
    assert answer.status_code == 422
    assert words in " ".join([*errors(answer.text), answer.text])
    assert 'value="jazz"' in answer.text or "music" in changes
    assert queue(panel.engine) is None


def test_a_queue_is_removed_after_a_question(panel: Panel, admin: Browser) -> None:
    page = admin.get("/queues/b/<b>").text
    assert "Remove the queue of b/&lt;b&gt;?" in page
    answer = admin.send("/queues/b/<b>/remove", page="/queues/b/<b>")
    assert answer.status_code == 302
    assert "Now tell the PBX: dutyline pbx-config" in admin.get("/queues").text
    assert queue(panel.engine, "b/<b>") is None


def test_supervisors_look_and_do_not_change(panel: Panel, admin: Browser) -> None:
    boss = panel.signed_in("boss")
    page = boss.get("/queues").text
    assert "dutyline-taken" in page
    assert "/queues/Sales" not in page
    assert boss.get("/queues/Sales 1").status_code == 403
    assert admin.get("/queues/nobody").status_code == 404


def test_what_is_not_shown_stays(panel: Panel, admin: Browser) -> None:
    with reading(panel.engine) as session:
        before = load_setup(session)
    admin.send("/queues/Sales 1", **FIELDS)
    with reading(panel.engine) as session:
        after = load_setup(session)
    groups = {**before.groups, "Sales 1": replace(before.groups["Sales 1"], queue=MADE)}
    assert after == replace(before, groups=groups)


@pytest.fixture
def busy(panel: Panel) -> Panel:
    """Give a panel whose queue has two callers, four operators on duty and one who is not."""
    whole_day = [Shift(who, frozenset(range(1, 8)), time(0), time(0)) for who in FOUR]
    operators = {who: Operator(who, f"Name {who}", who) for who in (*FOUR, "105")}
    group = Group("sales", Roster("UTC", tuple(whole_day)), QueueSettings("sales"))
    calls = [
        LiveCall(
            f"pbx-1.{nth}", 1, Direction.IN, "7495", "+79001112233", None, "", None, phase, at, at,
            queue=queue, queued_at=at,
        )
        for nth, (phase, at, queue) in enumerate([
            ("waiting", US - 75_000_000, "dutyline-sales"),
            ("ringing", US - 5_000_000, "dutyline-sales"),
            ("talking", US - 500_000_000, ""),
        ])
    ]  # fmt: skip
    states = [
        OperatorState(who, "", state, US)
        for who, state in (
            ("101", OperatorActivity.FREE),
            ("102", OperatorActivity.RINGING),
            ("103", OperatorActivity.PAUSED),
            ("104", OperatorActivity.AWAY),
            ("105", OperatorActivity.FREE),
        )
    ]
    with writing(panel.engine) as session:
        replace_setup(session, Setup(operators, {"sales": group}))
        save_live_calls(session, calls)
        save_operator_states(session, states)
        runs = Process("listener", 1, "pbx", "1", START, START, ready=True)
        save_process(session, runs)
    return panel


FOUR = ("101", "102", "103", "104")
US = microseconds(START)


def figures(page: str) -> dict[str, str]:
    """Return what the first row of the live table says, by its headings."""
    row = page[page.index('id="now-title"') :]
    row = row[row.index("<tbody>") : row.index("</tr>", row.index("<tbody>"))]
    cells = re.findall(r'<td data-label="([^"]+)"[^>]*>(.*?)</td>', row, re.S)
    return {name: re.sub(r"<[^>]+>", "", cell).strip() for name, cell in cells}


def test_who_waits_and_who_could_take_it(busy: Panel) -> None:
    page = busy.signed_in("boss").get("/queues").text
    assert figures(page) == {
        "Group": "sales",
        "Waiting": "2",
        "Waits longest": "1:15",
        "On duty": "4",
        "Free": "1",
        "Busy": "1",
        "On a break": "1",
        "Phone not connected": "1",
    }
    assert 'hx-trigger="every 5s"' in page
    assert "The listener is not running" not in page


def test_without_the_listener_nothing_is_made_up(busy: Panel) -> None:
    boss = busy.signed_in("boss", language="ru")
    busy.clock.pass_(minutes=5)
    page = boss.get("/queues").text
    assert "Служба" in page or "служба" in page or "не работает" in page
    assert list(figures(page).values()) == ["sales", "—", "—", "4", "—", "—", "—", "—"]


def test_without_queues_there_is_nothing_to_renew(panel: Panel) -> None:
    assert "hx-trigger" not in panel.signed_in("boss").get("/queues").text
