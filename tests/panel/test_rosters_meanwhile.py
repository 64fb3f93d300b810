"""Two supervisors at one roster at once: neither overwrites what they never saw."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from telephony.configfile import Data, change, find
from telephony.domain.duty import Override
from telephony.domain.setup import Group
from telephony.store.engine import reading
from telephony.store.setup import load_setup
from tests.panel.people import START, Browser, Panel
from tests.panel.test_rosters import (
    ANNA,
    DAY,
    NIGHT,
    SLOT,
    fill,
    filled,
    local,
    office,
    roster,
    text_of,
)
from web.rosters.meanwhile import Claim, check

HIDDEN = re.compile(r'name="(operator|seen_start|seen_end|there)" value="([^"]*)"')
FROM, TO = "2026-11-25T09:00", "2026-11-25T18:00"


def slot_form(browser: Browser, address: str = SLOT) -> dict[str, str]:
    """Return what the page of a slot sends, its times unchanged."""
    page = browser.get(address).text
    fields = {name: unescape(value) for name, value in HIDDEN.findall(page)}
    return {**fields, "start": fields["seen_start"], "end": fields["seen_end"]}


def press(browser: Browser, fields: dict[str, str], **button: str) -> Any:
    token = browser.token("/duty")
    return browser.post("/duty/groups/sales/slot", csrf_token=token, **{**fields, **button})


@pytest.mark.parametrize("second", [{"take": "103"}, {"nobody": "1"}, {"swap": "102"}])
def test_a_slot_is_given_away_once(panel: Panel, second: dict[str, str]) -> None:
    fill(panel, office(DAY))
    one, two = (panel.signed_in("boss") for _ in range(2))
    mine, theirs = slot_form(one), slot_form(two)
    assert press(one, mine, take="102").status_code == 302
    before = roster(panel)
    late = press(two, theirs, **second)
    assert late.status_code == 409
    said = text_of(late.text)
    assert "Somebody changed this meanwhile" in said
    assert "Anna does not have duty all of Wed 25 Nov, 09:00–18:00 any more." in said
    assert "On duty at that time: Boris , Wed 25 Nov, 09:00–18:00" in said
    assert 'name="take"' not in late.text, "there is nothing of hers to give"
    assert roster(panel) == before
    # The link leads on: it is Boris's now, and can be given from him.
    link = re.search(r'href="(/duty/groups/sales/slot\?[^"]*operator=102[^"]*)"', late.text)
    assert link
    assert press(two, slot_form(two, unescape(link[1])), take="103").status_code == 302
    assert roster(panel).overrides[1].instead_of == frozenset({"102"})


def test_a_form_without_what_was_seen_is_checked_too(quick_panel: Panel) -> None:
    fill(quick_panel, office(DAY))
    boss = quick_panel.signed_in("boss")
    fields = {"operator": "101", "start": FROM, "end": TO}
    assert press(boss, fields, take="102").status_code == 302
    assert press(boss, fields, take="103").status_code == 409
    assert len(roster(quick_panel).overrides) == 1


def test_a_change_between_the_look_and_the_writing_is_seen(
    quick_panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(quick_panel, office(DAY))
    boss = quick_panel.signed_in("boss")
    looks: list[bool] = []

    def looked(group: Group, claim: Claim) -> None:
        check(group, claim)
        looks.append(True)
        over = {"operators": ["103"], "start": "2026-11-25 09:00", "end": "2026-11-25 18:00"}

        def edit(data: Data) -> None:
            find(data, "groups", "sales").setdefault("overrides", []).append(over)

        change(quick_panel.engine, ANNA, edit, now=START)

    fields = slot_form(boss)
    token = boss.token("/duty")
    monkeypatch.setattr("web.rosters.slots.check", looked)
    late = boss.post("/duty/groups/sales/slot", csrf_token=token, **fields, take="102")
    assert (late.status_code, looks) == (409, [True])
    assert [each.operators for each in roster(quick_panel).overrides] == [("103",)]


def test_a_part_that_was_given_away_keeps_the_whole(quick_panel: Panel) -> None:
    fill(quick_panel, office(DAY))
    boss = quick_panel.signed_in("boss")
    seen = slot_form(boss)
    assert press(boss, {**seen, "end": "2026-11-25T12:00"}, take="102").status_code == 302
    assert press(boss, seen, take="103").status_code == 409
    left = {**seen, "start": "2026-11-25T12:00"}
    assert press(boss, left, take="103").status_code == 302, "the rest is hers"


def test_a_longer_time_than_the_slot_may_be_given(quick_panel: Panel) -> None:
    fill(quick_panel, office(DAY))
    boss = quick_panel.signed_in("boss")
    longer = {**slot_form(boss), "end": "2026-11-25T20:00"}
    assert press(boss, longer, take="102").status_code == 302
    assert press(boss, longer, take="103").status_code == 409


def test_a_swap_needs_both_to_have_their_duty(quick_panel: Panel) -> None:
    fill(quick_panel, office(DAY, rotations=(NIGHT,)))
    boss = quick_panel.signed_in("boss")
    seen = slot_form(boss)
    night = "/duty/groups/sales/slot?operator=102&start=2026-11-25T17:00Z&end=2026-11-26T06:00Z"
    assert press(boss, slot_form(boss, night), take="103").status_code == 302
    late = press(boss, seen, swap="102|2026-11-25T20:00|2026-11-26T09:00")
    assert late.status_code == 409
    assert "Boris does not have duty all of Wed 25 Nov, 20:00" in text_of(late.text)
    assert 'name="take"' in late.text, "Anna's can still be given away"
    assert roster(quick_panel).swaps == ()


def test_a_gap_is_filled_once(quick_panel: Panel) -> None:
    fill(quick_panel, office(DAY))
    boss = quick_panel.signed_in("boss")
    gap = "/duty/groups/sales/slot?start=2026-11-25T15:00Z&end=2026-11-25T21:00Z"
    seen = slot_form(boss, gap)
    assert press(boss, seen, take="103").status_code == 302
    late = press(boss, seen, take="102")
    assert late.status_code == 409
    said = text_of(late.text)
    assert "On duty at that time: Vera <b> , Wed 25 Nov, 18:00–24:00" in said
    # Read, and wanted all the same: both are on duty.
    fields = {name: unescape(value) for name, value in HIDDEN.findall(late.text)}
    assert press(boss, {**seen, **fields}, take="102").status_code == 302
    assert len(roster(quick_panel).overrides) == 2


def test_taking_over_now_at_another_time_than_the_pages(quick_panel: Panel) -> None:
    fill(quick_panel, office(DAY))
    boss = quick_panel.signed_in("boss")
    seen = slot_form(boss, "/duty/groups/sales/slot")
    assert seen["there"] == "101"
    other = {**seen, "start": "2026-11-25T20:00", "end": "2026-11-25T22:00"}
    assert press(boss, other, take="102").status_code == 302


def test_an_address_of_a_slot_that_is_gone_says_so(quick_panel: Panel) -> None:
    over = Override(("102",), local(FROM), local(TO), frozenset({"101"}))
    fill(quick_panel, office(DAY, overrides=(over,)))
    page = quick_panel.signed_in("boss").get(SLOT)
    assert page.status_code == 200
    assert "Anna does not have duty all of" in text_of(page.text)
    nobody = quick_panel.signed_in("boss").get(SLOT.replace("11-25", "11-28"))
    assert "On duty at that time: nobody" in text_of(nobody.text)


OVERRIDE = {"start": FROM, "end": TO, "instead_of": "everybody"}


@pytest.mark.parametrize(
    ("address", "mine", "theirs", "words"),
    [
        (
            "/duty/groups/sales/overrides/new",
            {**OVERRIDE, "operators": ["102"]},
            {**OVERRIDE, "operators": ["103"]},
            "Override: Boris, 25 Nov 2026 09:00–18:00, in place of everybody",
        ),
        (
            "/duty/absences/new",
            {"operator": "101", "kind": "sick", "first": "2026-11-25", "last": "2026-11-26",
             "cover": "102", "zone": "UTC"},
            {"operator": "101", "kind": "sick", "first": "2026-11-26", "last": "2026-11-27",
             "cover": "103", "zone": "UTC"},
            "Absence: Anna, 25 Nov 2026 – 26 Nov 2026, sick leave, covered by Boris",
        ),
        (
            "/duty/groups/sales/swaps/new",
            {"one": "101", "other": "102", "start": FROM, "end": TO},
            {"one": "101", "other": "103", "start": FROM, "end": TO},
            "Swap: Anna ⇄ Boris, 25 Nov 2026 09:00–18:00",
        ),
    ],
)  # fmt: skip
def test_a_new_entry_for_a_time_for_which_another_came_is_told(
    panel: Panel, address: str, mine: dict[str, Any], theirs: dict[str, Any], words: str
) -> None:
    fill(panel, office(DAY, rotations=(NIGHT,)))
    one, two = (panel.signed_in("boss") for _ in range(2))
    first, second = ({**filled(each.get(address).text), **data} for each, data in
                     ((one, mine), (two, theirs)))  # fmt: skip
    saved = one.post(address, **first)
    assert saved.status_code == 302, text_of(saved.text)
    with reading(panel.engine) as session:
        before = load_setup(session)
    late = two.post(address, **second)
    assert late.status_code == 409
    assert words in text_of(late.text)
    with reading(panel.engine) as session:
        assert load_setup(session) == before
    # Whoever read it may save it all the same.
    again = two.post(address, **{**filled(late.text), **theirs})
    assert again.status_code == 302, text_of(again.text)


def test_a_new_entry_for_another_time_is_not_kept_up(quick_panel: Panel) -> None:
    fill(quick_panel, office(replace(DAY, cover=None)))
    boss = quick_panel.signed_in("boss")
    address = "/duty/groups/sales/overrides/new"
    form = filled(boss.get(address).text)
    for day in ("25", "26"):
        span = {key: OVERRIDE[key].replace("-25T", f"-{day}T") for key in ("start", "end")}
        data = {**form, **OVERRIDE, **span, "operators": ["102"]}
        assert boss.post(address, **data).status_code == 302, day
    assert len(roster(quick_panel).overrides) == 2
