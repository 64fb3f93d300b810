"""The pages of rosters: what they show, what they change, and what they say when it is wrong."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from telephony.configfile import Author, Data, change, find, put, write_config
from telephony.domain.duty import Absence, OneOff, Override, Roster, Rotation, Shift, Swap
from telephony.domain.setup import Group, Operator, Setup
from telephony.store.engine import reading
from telephony.store.setup import load_setup
from tests.panel.people import START, Browser, Panel
from web.rosters.week import from_text, utc_text, week_of

ANNA = Author("somebody")
local = datetime.fromisoformat
WORKDAYS = frozenset({1, 2, 3, 4, 5})
DAY = Shift("101", WORKDAYS, time(9), time(18), (time(13), time(14)), "102")
NIGHT = Rotation((("102",), ("103",)), date(2026, 11, 23), 7, time(9), time(20), time(9))


def office(*shifts: Shift, zone: str = "Europe/Moscow", **more: Any) -> Setup:
    operators = {
        "101": Operator("101", "Anna", "101", "+79001112233"),
        "102": Operator("102", "Boris", "102"),
        "103": Operator("103", "Vera <b>", "103"),
    }
    absences = more.pop("absences", ())
    roster = Roster(zone, shifts, **more, absences=absences)
    quiet = Roster("UTC", absences=absences)
    groups = {"night/day": Group("night/day", quiet), "sales": Group("sales", roster)}
    return Setup(operators, groups, {}, "sales", absences)


def fill(panel: Panel, setup: Setup) -> None:
    put(panel.engine, ANNA, write_config(setup), now=START)


def roster(panel: Panel) -> Roster:
    with reading(panel.engine) as session:
        return load_setup(session).groups["sales"].roster


def text_of(page: str) -> str:
    """Return what a page says, without its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_the_first_page_says_who_is_on_duty_and_who_is_next(panel: Panel) -> None:
    fill(panel, office(DAY, rotations=(NIGHT,)))
    page = text_of(panel.signed_in("oper").get("/duty").text)
    # 12:00 in Moscow.
    assert "sales Anna until Tue 24 Nov, 13:00 Boris until Tue 24 Nov, 14:00" in page
    assert "night/day no roster yet" in page
    assert "sales : Nobody is on duty Tue 24 Nov, 18:00–20:00." in page
    assert "Your duty" in page, "the operator is 101"


def test_without_groups_the_page_says_what_to_do(quick_panel: Panel) -> None:
    page = quick_panel.signed_in("admin").get("/duty").text
    assert "No groups yet" in page
    assert "dutyline config apply" in page


def test_a_week_shows_shifts_gaps_and_entries(panel: Panel) -> None:
    away = Absence("103", local("2026-11-26 00:00"), local("2026-11-28 00:00"), "Europe/Moscow")
    over = Override(("103",), local("2026-11-24 09:00"), local("2026-11-24 12:00"))
    fill(panel, office(DAY, rotations=(NIGHT,), overrides=(over,), absences=(away,)))
    page = panel.signed_in("boss").get("/duty/groups/sales").text
    said = text_of(page)
    assert "All times are those of Europe/Moscow; it is Tue 24 Nov, 12:00 there." in said
    assert "23 Nov 2026 – 29 Nov 2026" in said
    assert "Anna Mon–Fri 09:00–18:00, lunch 13:00–14:00, Boris covers it" in said
    assert "Boris → Vera <b> 7 days each, from 23 Nov 2026 on, hand-over at 09:00" in said
    assert "Vera <b> 26 Nov 2026 – 27 Nov 2026, another reason" in said
    assert "1 that is over" in said, "the override ended at noon"
    assert "<b>" not in page.replace("&lt;b&gt;", "")
    assert 'aria-label="nobody, Tue 24 Nov, 18–20"' in page
    assert 'aria-label="Anna, Wed 25 Nov, 9–18, shift"' in page


def test_other_weeks_and_nonsense(panel: Panel) -> None:
    fill(panel, office(DAY))
    boss = panel.signed_in("boss")
    assert "21 Dec 2026 – 27 Dec 2026" in text_of(
        boss.get("/duty/groups/sales?week=2026-12-24").text
    )
    for nonsense in ("x", "0001-01-01", "9999-12-31", "2026-02-30"):
        answer = boss.get(f"/duty/groups/sales?week={nonsense}&with=999")
        assert answer.status_code == 200
        assert "23 Nov 2026" in text_of(answer.text)
    assert boss.get("/duty/groups/nobody").status_code == 404
    assert boss.get("/duty/groups/night/day").status_code == 200
    assert boss.get("/duty/groups/sales/nothing/new").status_code == 404
    assert boss.get("/duty/groups/sales/shifts/7").status_code == 404
    assert boss.get("/duty/absences/7").status_code == 404


def test_operators_look_and_do_not_touch(panel: Panel) -> None:
    fill(panel, office(DAY))
    page = panel.signed_in("oper").get("/duty/groups/sales").text
    assert "/slot?" not in page
    assert "rosters.js" not in page
    assert "csrf_token" in page, "signing out needs it"
    assert "/remove" not in page


SHIFT: dict[str, Any] = {
    "operator": "102",
    "days": ["sat", "sun"],
    "start": "10:00",
    "end": "16:00",
    "lunch_start": "12:00",
    "lunch_end": "12:30",
    "cover": "101",
    "since": "2026-12-01",
    "last": "2026-12-31",
    "layer": "2",
}
NEW = "/duty/groups/sales/shifts/new"


def test_adding_a_shift_and_undoing_it(panel: Panel) -> None:
    fill(panel, office(DAY))
    boss = panel.signed_in("boss")
    answer = boss.send(NEW, **SHIFT)
    assert answer.status_code == 302, text_of(answer.text)
    added = Shift(
        "102", frozenset({6, 7}), time(10), time(16), (time(12), time(12, 30)), "101",
        date(2026, 12, 1), date(2027, 1, 1), 2,
    )  # fmt: skip
    assert roster(panel).shifts == (DAY, added)
    page = boss.get(answer.location).text
    assert "Saved." in page
    undo = re.search(r'action="(/changes/\d+/undo)".*?name="expected" value="(\d+)"', page)
    assert undo
    data = {"csrf_token": boss.token("/duty"), "expected": undo[2], "next": "/duty/groups/sales"}
    back = boss.post(undo[1], **data)
    assert back.location == "/duty/groups/sales"
    assert roster(panel).shifts == (DAY,)
    assert "Taken back." in boss.get(back.location).text


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"end": "late"}, "must be a time of day"),
        ({"days": []}, "is missing"),
        ({"cover": "102"}, "must be somebody else"),
        ({"lunch_end": "18:00"}, "must lie within the shift"),
        ({"lunch_start": "", "lunch_end": ""}, "covers the lunch, and there is none"),
        ({"last": "2026-11-01"}, "must be after since"),
        ({"since": "soon"}, "must be a day such as"),
        ({"operator": ""}, "Fill this in."),
        ({"operator": "999"}, "Choose one of those listed."),
        ({"layer": "10"}, "Choose one of those listed."),
    ],
)
def test_what_is_wrong_stands_at_its_field(
    quick_panel: Panel, wrong: dict[str, Any], words: str
) -> None:
    fill(quick_panel, office(DAY))
    answer = quick_panel.signed_in("boss").send(NEW, **{**SHIFT, **wrong})
    assert answer.status_code == 422
    errors = re.findall(r'class="field-error"[^>]*>(.*?)</p>', answer.text, re.DOTALL)
    assert any(words in text_of(each) for each in errors), text_of(answer.text)
    assert "10:00" in answer.text or "start" in wrong, "what was typed is still there"
    assert roster(quick_panel).shifts == (DAY,)


def test_errors_in_russian(quick_panel: Panel) -> None:
    fill(quick_panel, office(DAY))
    boss = quick_panel.signed_in("boss", language="ru")
    answer = boss.send(NEW, **{**SHIFT, "end": "late"})
    assert "должно быть время суток" in answer.text


def test_changing_an_entry_of_every_kind_changes_nothing_by_itself(panel: Panel) -> None:
    """A form that is sent as it came makes no difference: nothing is lost on the way."""
    at = local("2026-12-01 09:00")
    setup = office(
        DAY,
        replace(DAY, end=time(0), since=date(2026, 1, 1), until=date(2027, 1, 1), layer=3),
        rotations=(
            NIGHT,
            Rotation((("101", "102"), ("103",)), date(2026, 1, 1), 1, time(8), time(8), time(8)),
            replace(NIGHT, days=WORKDAYS, lunch=(time(0), time(1)), until=date(2027, 1, 1)),
        ),
        one_offs=(OneOff("101", at, local("2026-12-02 00:00"), 4),),
        overrides=(
            Override(("101", "102"), at, local("2026-12-02 00:00")),
            Override((), at, local("2026-12-02 00:00"), frozenset({"101", "102"})),
            Override(("103",), at, local("2026-12-02 00:00"), frozenset()),
        ),
        swaps=(Swap("101", "103", at, local("2026-12-02 00:00")),),
        absences=(
            Absence(
                "101",
                local("2026-12-01 00:00"),
                local("2026-12-03 00:00"),
                "Asia/Omsk",
                cover="102",
            ),
            Absence("102", at, local("2026-12-03 15:00"), "Europe/Moscow"),
        ),
    )
    fill(panel, setup)
    boss = panel.signed_in("boss")
    counts = {"shifts": 2, "rotations": 3, "one_offs": 1, "overrides": 3, "swaps": 1}
    addresses = [
        f"/duty/groups/sales/{kind}/{place}"
        for kind, count in counts.items()
        for place in range(count)
    ]
    for address in (*addresses, "/duty/absences/0", "/duty/absences/1"):
        answer = boss.post(address, **filled(boss.get(address).text))
        assert answer.status_code == 302, (address, text_of(answer.text))
        assert "Nothing was changed." in boss.get(answer.location).text, address
    with reading(panel.engine) as session:
        assert load_setup(session) == setup


def filled(page: str) -> dict[str, Any]:
    """Return the fields of the page's form as a browser would send them."""
    form = page[page.index('class="card form-card"') :].partition("</form>")[0]
    data: dict[str, list[str]] = {}
    for tag in re.findall(r"<input [^>]+>", form):
        marks = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if marks.get("type") != "checkbox" or " checked" in tag:
            data.setdefault(marks["name"], []).append(html.unescape(marks.get("value", "")))
    for name, options in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option selected[^>]* value="([^"]*)"', options) or re.search(
            r'<option value="([^"]*)" selected', options
        )
        first = re.search(r'value="([^"]*)"', options)
        found = chosen or first
        data.setdefault(name, []).append(html.unescape(found[1]) if found else "")
    return data


def test_an_entry_is_found_when_others_come_and_go_before_it(panel: Panel) -> None:
    fill(panel, office(replace(DAY, operator="103", cover=None), DAY))
    boss = panel.signed_in("boss")
    form = filled(boss.get("/duty/groups/sales/shifts/1").text)

    def drop(data: Data) -> None:
        find(data, "groups", "sales")["shifts"].pop(0)

    change(panel.engine, ANNA, drop, now=START)
    assert boss.post("/duty/groups/sales/shifts/1", **{**form, "end": "17:00"}).status_code == 302
    assert roster(panel).shifts == (replace(DAY, end=time(17)),)
    # The same form once more: the entry is not what it was.
    again = boss.post("/duty/groups/sales/shifts/1", **{**form, "end": "16:00"})
    assert again.status_code == 422
    assert "changed or removed meanwhile" in again.text
    assert 'value="16:00"' in again.text
    assert roster(panel).shifts == (replace(DAY, end=time(17)),)


def test_removing_and_the_history(panel: Panel) -> None:
    fill(panel, office(DAY))
    boss = panel.signed_in("boss")
    page = boss.get("/duty/groups/sales").text
    was = re.search(r'name="was" value="([^"]+)"', page)
    assert was
    data = {"csrf_token": boss.token("/duty"), "was": html.unescape(was[1])}
    answer = boss.post("/duty/groups/sales/shifts/0/remove", **data)
    assert "Removed." in boss.get(answer.location).text
    assert roster(panel).shifts == ()
    again = boss.post("/duty/groups/sales/shifts/0/remove", **data)
    assert "changed or removed meanwhile" in boss.get(again.location).text
    for nonsense in ("", "[]", "{"):
        boss.post("/duty/groups/sales/shifts/0/remove", **{**data, "was": nonsense})
    history = text_of(boss.get("/changes").text)
    assert "boss" in history
    assert "group sales changed weekly shifts: operator 101, days Mon–Fri" in history
    shown = text_of(boss.get("/changes/2").text)
    assert "weekly shifts: — → operator 101" in shown, "what taking it back would do"


def test_undoing_with_changes_in_between_is_looked_at_first(panel: Panel) -> None:
    fill(panel, office(DAY))
    boss = panel.signed_in("boss")
    boss.send(NEW, **SHIFT)
    boss.send(NEW, **{**SHIFT, "operator": "103"})
    token = boss.token("/duty")
    late = boss.post("/changes/2/undo", csrf_token=token, expected="2")
    assert late.location == "/changes/2"
    page = boss.get("/changes/2").text
    assert "look what taking this back would do" in page
    assert "operator 103" in text_of(page)
    expected = re.search(r'name="expected" value="(\d+)"', page)
    assert expected
    assert roster(panel).shifts[0] == DAY
    boss.post("/changes/2/undo", csrf_token=token, expected=expected[1])
    assert roster(panel).shifts == (DAY,)
    for nonsense in ("", "x", "9" * 50):
        answer = boss.post("/changes/2/undo", csrf_token=token, expected=nonsense)
        assert answer.status_code == 302
    assert boss.get("/changes/99").status_code == 404
    assert boss.post("/changes/99/undo", csrf_token=token, expected="4").status_code == 404


def test_a_supervisor_takes_back_rosters_only(panel: Panel) -> None:
    fill(panel, office(DAY))

    def rename(data: Data) -> None:
        find(data, "operators", "101")["name"] = "Anya"

    done = change(panel.engine, ANNA, rename, now=START)
    data = {"expected": str(done.version)}
    boss, admin = panel.signed_in("boss"), panel.signed_in("admin")
    assert "only an administrator may" in boss.get(f"/changes/{done.version}").text
    address = f"/changes/{done.version}/undo"
    assert boss.post(address, csrf_token=boss.token("/duty"), **data).status_code == 403
    assert admin.post(address, csrf_token=admin.token("/duty"), **data).status_code == 302
    with reading(panel.engine) as session:
        assert load_setup(session).operators["101"].name == "Anna"


SLOT = "/duty/groups/sales/slot?operator=101&start=2026-11-25T06:00Z&end=2026-11-25T15:00Z"


def take(browser: Browser, **data: str) -> Any:
    usual = {"operator": "101", "start": "2026-11-25T09:00", "end": "2026-11-25T18:00"}
    token = browser.token("/duty")
    return browser.post("/duty/groups/sales/slot", csrf_token=token, **{**usual, **data})


def test_somebody_else_takes_a_slot(panel: Panel) -> None:
    away = Absence("103", local("2026-11-25 00:00"), local("2026-11-26 00:00"), "Europe/Moscow")
    fill(panel, office(DAY, rotations=(NIGHT,), absences=(away,)))
    boss = panel.signed_in("boss")
    page = text_of(boss.get(SLOT).text)
    assert "Anna Wed 25 Nov, 09:00–18:00 · Europe/Moscow" in page
    assert "Boris on duty then" in page, "he covers the lunch"
    assert "Vera <b> away" in page
    answer = take(boss, take="102")
    assert answer.location == "/duty/groups/sales?week=2026-11-23"
    assert roster(panel).overrides == (
        Override(
            ("102",), local("2026-11-25 09:00"), local("2026-11-25 18:00"), frozenset({"101"})
        ),
    )
    assert "Boris takes it." in boss.get(answer.location).text


def test_nobody_does_it_and_a_gap_is_filled(panel: Panel) -> None:
    fill(panel, office(DAY))
    boss = panel.signed_in("boss")
    take(boss, nobody="1")
    take(boss, operator="", take="103", start="2026-11-25T18:00", end="2026-11-26T00:00")
    assert roster(panel).overrides == (
        Override((), local("2026-11-25 09:00"), local("2026-11-25 18:00"), frozenset({"101"})),
        Override(("103",), local("2026-11-25 18:00"), local("2026-11-26 00:00"), frozenset()),
    )


def test_two_swap_their_slots(panel: Panel) -> None:
    fill(panel, office(DAY, rotations=(NIGHT,)))
    boss = panel.signed_in("boss")
    page = boss.get(SLOT).text
    assert 'value="102|2026-11-25T20:00|2026-11-26T09:00"' in page
    take(boss, swap="102|2026-11-25T20:00|2026-11-26T09:00")
    assert roster(panel).swaps == (
        Swap("101", "102", local("2026-11-25 09:00"), local("2026-11-25 18:00")),
        Swap("101", "102", local("2026-11-25 20:00"), local("2026-11-26 09:00")),
    )


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        ({"take": "102", "end": "2026-11-25T09:00"}, 422, "must be after start"),
        ({"take": "999"}, 422, "must be the extension of an operator"),
        ({"swap": "101|x"}, 422, "must be two operators"),
        ({"swap": ""}, 422, "must have 1 to 100 characters"),
        ({"take": "102", "start": "x"}, 422, ""),
        ({"take": "102", "start": "0001-01-01T00:00"}, 422, ""),
        ({}, 422, ""),
    ],
)
def test_a_slot_with_nonsense_changes_nothing(
    quick_panel: Panel, data: dict[str, str], status: int, words: str
) -> None:
    fill(quick_panel, office(DAY))
    answer = take(quick_panel.signed_in("boss"), **data)
    assert answer.status_code == status
    assert words in text_of(answer.text)
    assert roster(quick_panel) == office(DAY).groups["sales"].roster


def test_a_slot_without_an_address_is_now(quick_panel: Panel) -> None:
    fill(quick_panel, office(DAY))
    boss = quick_panel.signed_in("boss")
    for query in ("", "?start=x", "?start=2026-11-25T06:00Z&end=2036-11-25T06:00Z"):
        page = text_of(boss.get(f"/duty/groups/sales/slot{query}").text)
        assert "Somebody takes over Tue 24 Nov, 12:00–13:00" in page


def test_what_was_drawn_fills_the_form(quick_panel: Panel) -> None:
    fill(quick_panel, office(DAY))
    boss = quick_panel.signed_in("boss")
    drawn = "operator=102&start=2026-11-28T07:30Z&end=2026-11-28T11:00Z"
    form = filled(boss.get(f"{NEW}?{drawn}").text)
    assert (form["operator"], form["days"]) == (["102"], ["sat"])
    assert (form["start"], form["end"]) == (["10:30"], ["14:00"])
    form = filled(boss.get(f"/duty/groups/sales/one_offs/new?{drawn}").text)
    assert (form["start"], form["end"]) == (["2026-11-28T10:30"], ["2026-11-28T14:00"])
    stretched = "start=2026-11-25T06:00Z&end=2026-11-25T17:30Z"
    form = filled(boss.get(f"/duty/groups/sales/shifts/0?{stretched}").text)
    assert (form["start"], form["end"], form["operator"]) == (["09:00"], ["20:30"], ["101"])


def test_more_lines_for_turns_keep_what_was_chosen(quick_panel: Panel) -> None:
    fill(quick_panel, office(DAY))
    boss = quick_panel.signed_in("boss")
    turns = {"turn-0": ["101", ""], "turn-1": ["", ""], "turn-2": ["102", "103"]}
    data: dict[str, Any] = {
        "first": "2026-12-01",
        "length": "1",
        "handover": "08:00",
        "days": ["mon"],
        **turns,
    }
    data |= {"cover": "", "layer": "0"}
    address = "/duty/groups/sales/rotations/new"
    page = boss.send(address, **data, more="1").text
    assert page.count('name="turn-6"') == 2
    assert boss.send(address, **data).status_code == 302
    (made,) = roster(quick_panel).rotations
    assert made.turns == (("101",), ("102", "103"))
    assert (made.length, made.days, made.start) == (1, frozenset({1}), time(8))
    wrong = boss.send(address, **{**data, "turn-0": ["999"], "turn-2": [""]})
    assert wrong.status_code == 422
    assert "must be the extension of an operator" in wrong.text


def test_absences(panel: Panel) -> None:
    fill(panel, office(DAY))
    boss = panel.signed_in("boss")
    data = {"operator": "101", "kind": "sick", "first": "2026-11-25", "last": "2026-11-26"}
    answer = boss.send("/duty/absences/new", **data, cover="102", zone="Europe/Moscow")
    assert answer.location == "/duty/absences"
    page = text_of(boss.get("/duty/absences").text)
    assert "Anna 25 Nov 2026 – 26 Nov 2026, sick leave, covered by Boris" in page
    with reading(panel.engine) as session:
        (absence,) = load_setup(session).absences
    assert absence.end == local("2026-11-27 00:00")
    wrong = boss.send("/duty/absences/new", **{**data, "last": "2026-11-01"}, cover="", zone="Mars")
    assert wrong.status_code == 422
    assert "must be after from" in wrong.text
    assert "must be an IANA time zone" in wrong.text


@pytest.mark.parametrize(
    ("zone", "first", "hours"),
    [
        ("Europe/Berlin", date(2026, 10, 19), [24] * 6 + [25]),
        ("Europe/Berlin", date(2026, 3, 23), [24] * 6 + [23]),
        ("America/New_York", date(2026, 10, 26), [24] * 6 + [25]),
    ],
)
def test_weeks_in_which_clocks_change(zone: str, first: date, hours: list[int]) -> None:
    """A shift around the clock fills each day's seventh; a night shift has its real hours."""
    all_day = Shift("101", frozenset(range(1, 8)), time(0), time(0))
    night = Shift("102", frozenset({6}), time(22), time(6))
    week = week_of(Roster(zone, (all_day, night)), first, datetime(2026, 1, 1, tzinfo=UTC))
    assert [day.hours for day in week.days] == hours
    rows = {row.operator: row for row in week.rows}
    assert [round(bar.x, 2) for bar in rows["101"].bars] == [
        round(100 * number / 7, 2) for number in range(7)
    ]
    assert all(abs(bar.width - 100 / 7) < 0.001 for bar in rows["101"].bars)
    assert rows["101"].hours == sum(hours)
    assert rows["102"].hours == 8 + hours[6] - 24
    assert week.gaps == ()


def test_a_week_has_the_shift_that_crosses_its_edge_as_a_whole() -> None:
    night = Shift("101", frozenset({7}), time(22), time(6), (time(1), time(2)))
    at = datetime(2026, 11, 23, 1, tzinfo=UTC)
    week = week_of(Roster("UTC", (night,)), date(2026, 11, 23), at, ["102"])
    first, last = next(row for row in week.rows if row.operator == "101").bars
    assert (first.x, first.start) == (0, local("2026-11-22 22:00"))
    assert last.end == local("2026-11-30 06:00")
    ((x, width),) = first.lunches
    assert (x, width) == pytest.approx((100 / 168, 100 / 168), abs=0.001)
    assert [row.operator for row in week.rows] == ["101", "102"]
    assert week.now == pytest.approx(100 / 168, abs=0.001)
    assert [len(day.lines) for day in week.days] == [3, 1, 1, 1, 1, 1, 2], "lunch is a gap"


def test_moments_in_addresses() -> None:
    at = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
    assert from_text(utc_text(at)) == at
    assert [from_text(text) for text in ("", "2026-11-25", "2026-11-25T06:30")] == [None] * 3
