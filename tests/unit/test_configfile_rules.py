"""Opening hours, trunks and the rules of DIDs in the file: how they read, where errors are."""

from __future__ import annotations

from datetime import date, time

import pytest

from telephony.configfile import read_config, write_config
from telephony.domain.did import Action, ActionKind, Did, Menu, StepName, StepRule, Strategy
from telephony.domain.hours import Hours, Opening, OwnDay
from telephony.domain.setup import Mailbox, Trunk

FILE = """\
operators:
  - {extension: 101, name: Anna, mobile: "+79161110001", trunk: city}
groups:
  - {name: sales, zone: Europe/Moscow, hours: office}
  - {name: support, zone: Europe/Moscow}
hours:
  - name: office
    zone: Europe/Moscow
    open:
      - {days: mon-fri, start: 09:00, end: 24:00}
    country: de
    region: BY
    days:
      - {day: 2026-12-31, name: New Year's Eve, open: [09:00-12:00, 13:00-15:00]}
      - {day: 2026-11-28, name: works, like: mon}
      - {day: 2026-07-01, last: 2026-07-14, yearly: true}
trunks:
  - {endpoint: city, template: "8{national}"}
  - {endpoint: gsm}
mailboxes:
  - {number: 1, name: Sales, email: sales@example.com, pin: 0391}
dids:
  - number: 74951234567
    group: sales
    hours: office
    greeting: "@welcome"
    last_operator_days: 14
    vip_always: yes
    overflow: support
    menu: {announcement: "@menu", choices: {1: sales, 2: support}}
    closed: {action: voicemail, announcement: vm-goodbye, mailbox: 1}
    unanswered: {action: number, number: "+7 999 000-11-22", trunk: city, seconds: 40}
    steps:
      manager_desk: {seconds: 15, announcement: "@wait"}
      duty: {strategy: in_turn}
      queue: {seconds: 600}
      manager_mobile: {enabled: false}
"""


def test_everything_is_read_as_it_is_meant() -> None:
    setup, errors = read_config(FILE)
    assert errors == []
    assert setup.hours == {
        "office": Hours(
            "office",
            "Europe/Moscow",
            (Opening(frozenset(range(1, 6)), time(9), time(0)),),
            "DE",
            "BY",
            (
                OwnDay(
                    date(2026, 12, 31),
                    date(2026, 12, 31),
                    "New Year's Eve",
                    ((time(9), time(12)), (time(13), time(15))),
                ),
                OwnDay(date(2026, 11, 28), date(2026, 11, 28), "works", like=1),
                OwnDay(date(2026, 7, 1), date(2026, 7, 14), yearly=True),
            ),
        )
    }
    assert setup.trunks == {"city": Trunk("city", "8{national}"), "gsm": Trunk("gsm")}
    assert setup.mailboxes == {"1": Mailbox("1", "Sales", "sales@example.com", "0391")}
    assert setup.operators["101"].trunk == "city"
    assert setup.groups["sales"].hours == "office"
    assert setup.dids["74951234567"] == Did(
        "74951234567",
        "sales",
        hours="office",
        greeting="@welcome",
        last_operator_days=14,
        vip_always=True,
        overflow="support",
        menu=Menu("@menu", {"1": "sales", "2": "support"}),
        closed=Action(ActionKind.VOICEMAIL, "vm-goodbye", "1"),
        unanswered=Action(ActionKind.NUMBER, "", "+79990001122", "city", 40),
        steps={
            StepName.MANAGER_DESK: StepRule(seconds=15, announcement="@wait"),
            StepName.DUTY: StepRule(strategy=Strategy.IN_TURN),
            StepName.QUEUE: StepRule(seconds=600),
            StepName.MANAGER_MOBILE: StepRule(enabled=False),
        },
    )
    assert read_config(write_config(setup)) == (setup, [])


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("country: de", "country: XX", "hours[0].country"),
        ("region: BY", "region: XX", "hours[0].region"),
        ("    country: de\n", "", "hours[0].country"),
        ("like: mon", "like: monday", "hours[0].days[1].like"),
        ("like: mon", "like: mon, open: [09:00-10:00]", "hours[0].days[1].like"),
        ("09:00-12:00", "9-12", "hours[0].days[0].open[0]"),
        ("last: 2026-07-14", "last: 2026-06-14", "hours[0].days[2].last"),
        ("last: 2026-07-14", "last: 2027-07-14", "hours[0].days[2].last"),
        ("days: mon-fri", "days: mo-fr", "hours[0].open[0].days"),
        ("hours: office}", "hours: day}", "groups[0].hours"),
        ('"8{national}"', '"8{name}"', "trunks[0].template"),
        ("endpoint: gsm", "endpoint: city", "trunks[1].endpoint"),
        ("trunk: city}\ngroups", "trunk: none}\ngroups", "operators[0].trunk"),
        ("    hours: office\n", "    hours: night\n", "dids[0].hours"),
        ('greeting: "@welcome"', 'greeting: "@Wel come"', "dids[0].greeting"),
        ('greeting: "@welcome"', 'greeting: "../../etc"', "dids[0].greeting"),
        ('greeting: "@welcome"', 'greeting: "a&b"', "dids[0].greeting"),
        ("last_operator_days: 14", "last_operator_days: 91", "dids[0].last_operator_days"),
        ("vip_always: yes", "vip_always: perhaps", "dids[0].vip_always"),
        ("overflow: support", "overflow: sales", "dids[0].overflow"),
        ("overflow: support", "overflow: nobody", "dids[0].overflow"),
        ("choices: {1: sales, 2: support}", "choices: {}", "dids[0].menu.choices"),
        ("{1: sales, 2: support}", "{10: sales}", "dids[0].menu.choices.10"),
        ("{1: sales, 2: support}", "{1: nobody}", "dids[0].menu.choices.1"),
        ("{1: sales, 2: support}", "{1: sales, 1: support}", "dids[0].menu.choices.1"),
        ("{1: sales, 2: support}", "[sales]", "dids[0].menu.choices"),
        ("action: voicemail", "action: mail", "dids[0].closed.action"),
        ("{number: 1,", "{number: one,", "mailboxes[0].number"),
        ("name: Sales,", 'name: "Sales, | x",', "mailboxes[0].name"),
        ("email: sales@example.com", "email: sales", "mailboxes[0].email"),
        ("pin: 0391", "pin: 1", "mailboxes[0].pin"),
        (", mailbox: 1}", "}", "dids[0].closed.mailbox"),
        ("mailbox: 1}", "mailbox: 1@x}", "dids[0].closed.mailbox"),
        ("mailbox: 1}", "mailbox: 2}", "dids[0].closed.mailbox"),
        ('number: "+7 999 000-11-22"', 'number: "112"', "dids[0].unanswered.number"),
        ('number: "+7 999 000-11-22", ', "", "dids[0].unanswered.number"),
        ('number: "+7 999 000-11-22"', 'number: "+9990001112"', "dids[0].unanswered.number"),
        ('mobile: "+79161110001"', 'mobile: "+9990001112"', "operators[0].mobile"),
        ("trunk: city, seconds", "trunk: x, seconds", "dids[0].unanswered.trunk"),
        ("seconds: 40", "seconds: 400", "dids[0].unanswered.seconds"),
        (
            "manager_desk: {seconds: 15,",
            "manager_desk: {seconds: 0,",
            "dids[0].steps.manager_desk.seconds",
        ),
        ("strategy: in_turn", "strategy: ringall", "dids[0].steps.duty.strategy"),
        ("queue: {seconds: 600}", "queue: {seconds: 9000}", "dids[0].steps.queue.seconds"),
        ("manager_mobile:", "mobile:", "dids[0].steps.mobile"),
    ],
)
def test_an_error_names_its_place_in_both_languages(old: str, new: str, path: str) -> None:
    assert FILE.count(old) == 1, old
    errors = read_config(FILE.replace(old, new), "RU")[1]
    assert [error.path for error in errors] == [path], errors
    (error,) = errors
    assert error.line > 0
    english, russian = error.words("en"), error.words("ru")
    assert english
    assert any("а" <= letter <= "я" for letter in russian)
