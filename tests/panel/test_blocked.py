"""The block list in the panel, on both databases."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from sqlalchemy import Engine

from telephony.domain.blocklist import HIDDEN, Blocked
from telephony.store import blocklist
from telephony.store.audit import AuditEntry, list_audit
from telephony.store.blocklist import block, load_blocklist
from telephony.store.client_changes import save_clients
from telephony.store.clients import ClientData
from telephony.store.directory import current_version
from telephony.store.engine import reading, writing
from tests.panel.people import START, Browser, Panel
from tests.panel.test_clients_editing import errors

KNOWN = ClientData("Romashka <b>", ("+79001112233", "+79001112234"))


@pytest.fixture
def boss(panel: Panel) -> Browser:
    """Give a supervisor's browser over a panel with one client."""
    with writing(panel.engine) as session:
        save_clients(session, [KNOWN])
    return panel.signed_in("boss")


def lines(engine: Engine) -> list[Blocked]:
    with reading(engine) as session:
        return list(load_blocklist(session).lines)


def newest(engine: Engine) -> AuditEntry:
    with reading(engine) as session:
        return list_audit(session, limit=1, offset=0)[0][0]


def sure(page: str) -> str:
    found = re.search(r'name="sure" type="hidden" value="([^"]*)"', page)
    assert found is not None
    return found[1]


def test_numbers_beginnings_and_hidden_callers_are_blocked(panel: Panel, boss: Browser) -> None:
    assert "Nobody is blocked" in boss.get("/blocked").text
    with reading(panel.engine) as session:
        before = current_version(session).setup_version
    patterns = "8 (495) 111-22-33\r\n\r\n+7 495 777*\n74951112233\nhidden"
    answer = boss.send("/blocked/new", patterns=patterns, reason=" spam ", until="2026-11-30")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/blocked")
    until = datetime(2026, 12, 1, tzinfo=UTC)
    assert lines(panel.engine) == [
        Blocked(pattern, "spam", "boss", START, until)
        for pattern in ("+74951112233", "+7495777*", HIDDEN)
    ]
    with reading(panel.engine) as session:
        assert current_version(session).setup_version > before
    line = newest(panel.engine)
    assert (line.action, line.target) == ("blocked.added", HIDDEN)
    assert line.details == {"reason": "spam", "until": "2026-12-01 00:00 UTC"}
    page = boss.get("/blocked").text
    for words in ("3 lines were added.", "all that begin with +7495777", "hidden numbers", "boss"):
        assert words in page
    for text, count in (("8 495 111 22 33", 0), ("+7 495 111", 1), ("spa", 3), ("HIDD", 1)):
        found = boss.get(f"/blocked?q={quote(text)}").text
        assert found.count("/delete") == count, text
    with boss.get("/blocked/export.csv") as file:
        rows = file.get_data().decode().splitlines()
    assert rows[1] == "+74951112233,spam,2026-12-01 00:00,boss,2026-11-24 09:00"
    assert rows[2].startswith("'+7495777*,")


def test_what_is_wrong_stands_beside_its_field(panel: Panel, boss: Browser) -> None:
    answer = boss.send(
        "/blocked/new", patterns="12\n8900*\n+74951112233", reason="", until="2026-11-20"
    )
    assert answer.status_code == 422
    assert errors(answer.text) == [
        "12 is neither a number nor a beginning such as +7900*. "
        "8900* is neither a number nor a beginning such as +7900*.",
        "Say why.",
        "This is over already.",
    ]
    assert "+74951112233" in answer.text
    assert lines(panel.engine) == []
    for fields, said in (
        ({"patterns": "", "reason": "x"}, "Enter at least one number."),
        ({"patterns": "900", "reason": "x" * 201}, "Use at most 200 characters."),
        ({"patterns": "900", "reason": "a\x07"}, "It contains a control character: U+0007"),
        ({"patterns": "900\n" * 501, "reason": "x"}, "At most 500 at once."),
        ({"patterns": "900", "reason": "x", "until": "someday"}, "Choose a day."),
        (
            {"patterns": "900", "reason": "x", "until": "9999-12-31"},
            "This is more than ten years away: leave it empty.",
        ),
    ):
        assert errors(boss.send("/blocked/new", **fields).text) == [said]


def test_a_line_that_stands_there_is_named_unless_it_is_over(panel: Panel, boss: Browser) -> None:
    boss.send("/blocked/new", patterns="900", reason="first", until="2026-11-25")
    again = boss.send("/blocked/new", patterns="900", reason="second")
    assert errors(again.text) == ["900 stands on the list already: first"]
    panel.clock.pass_(days=3)
    boss = panel.signed_in("boss")
    assert "over" in boss.get("/blocked").text
    assert boss.send("/blocked/new", patterns="900", reason="second").status_code == 302
    assert [line.reason for line in lines(panel.engine)] == ["second"]


def test_a_full_list_says_so(panel: Panel, boss: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocklist, "MOST", 1)
    answer = boss.send("/blocked/new", patterns="900\n901", reason="x")
    assert errors(answer.text) == ["The list may have 10000 lines: delete some first."]
    assert lines(panel.engine) == []


def test_blocking_a_client_asks_first(panel: Panel, boss: Browser) -> None:
    first = boss.send("/blocked/new", patterns="8 900 111 22 33\n+7900*\n900", reason="x")
    assert first.status_code == 422
    assert "These are clients" in first.text
    assert '<a href="/clients/1">Romashka &lt;b&gt;</a>' in first.text
    assert "all that begin with +7900: 1 client" in first.text
    assert "Block all the same" in first.text
    assert lines(panel.engine) == []
    # Another number than the one that was warned of is warned of, too.
    other = boss.send("/blocked/new", patterns="+79001112234", reason="x", sure=sure(first.text))
    assert "These are clients" in other.text
    done = boss.send("/blocked/new", patterns="+79001112234", reason="x", sure=sure(other.text))
    assert done.status_code == 302
    assert "Romashka &lt;b&gt;</a>" in boss.get("/blocked").text


def test_from_the_page_of_a_client_the_warning_comes_first(panel: Panel, boss: Browser) -> None:
    page = boss.get("/clients/1").text
    (address,) = re.findall(r'href="(/blocked/new\?number=%2B79001112233)"', page)
    form = boss.get(address).text
    assert "These are clients" in form
    assert "+79001112233</textarea>" in form
    answer = boss.send("/blocked/new", patterns="+79001112233", reason="x", sure=sure(form))
    assert answer.status_code == 302
    for number in ("%00", "9" * 300, "<script>"):
        assert boss.get(f"/blocked/new?number={number}").status_code == 200


def test_unblocking_asks_first(panel: Panel, boss: Browser) -> None:
    with writing(panel.engine) as session:
        first, _ = block(
            session, [Blocked("900", "x", "anna", START), Blocked("901", "y", "", START)]
        )
    page = boss.get(f"/blocked/{first}/delete").text
    assert "Unblock 900?" in page
    assert boss.send(f"/blocked/{first}/delete").status_code == 302
    assert [line.pattern for line in lines(panel.engine)] == ["901"]
    entry = newest(panel.engine)
    assert (entry.action, entry.target) == ("blocked.removed", "900")
    assert entry.details == {"reason": "x", "until": None}
    assert "900: not blocked any more." in boss.get("/blocked").text
    for path in (f"/blocked/{first}/delete", f"/blocked/{10**30}/delete"):
        assert boss.get(path).status_code == 404


def test_a_long_list_is_paged(panel: Panel, boss: Browser) -> None:
    with writing(panel.engine) as session:
        block(session, [Blocked(f"+7495{n:07}", "x", "anna", START) for n in range(120)])
    assert "1–50 of 120" in boss.get("/blocked").text
    assert "101–120 of 120" in boss.get("/blocked?page=3").text
    assert "There is no such page" in boss.get("/blocked?page=4").text
    assert "No line fits" in boss.get("/blocked?q=nobody").text
    assert boss.get("/blocked?q=%00%ff&page=x").status_code == 200


def test_operators_do_not_see_it(panel: Panel, boss: Browser) -> None:
    del boss
    oper = panel.signed_in("oper")
    assert "/blocked" not in oper.get("/clients/1").text
    assert oper.get("/blocked").status_code == 403
