"""Any opening hours, rules of a DID and rules of callbacks, for hypothesis."""

from __future__ import annotations

from datetime import date, time, timedelta

from hypothesis import strategies as st

from telephony.domain.callback.rules import (
    LIMITS,
    TYPES,
    Automatic,
    CallbackRules,
    Caps,
    First,
    QuietHours,
    Shown,
    Spacing,
)
from telephony.domain.did import Action, ActionKind, Did, Menu, StepName, StepRule, Strategy
from telephony.domain.hours import Hours, Opening, OwnDay
from telephony.domain.setup import Mailbox, Trunk

TRUNKS = {"city": Trunk("city", "8{national}"), "gsm.1": Trunk("gsm.1", "+7{digits}")}
MAILBOXES = {
    "1": Mailbox("1", "Sales: “da”", "sales@example.com", "0391"),
    "22": Mailbox("22", "#"),
}
GROUPS = ("sales", "no")
_CLOCK = st.builds(time, st.integers(0, 23), st.sampled_from([0, 5, 30, 59]))
_BREAK = st.tuples(_CLOCK, _CLOCK)
_TEXT = st.text(st.sampled_from("aЯ1:#-'\" {}[],&*!|>%@`"), max_size=12).map(str.strip)
_SOUND = st.sampled_from(["", "vm-goodbye", "custom/hello_1", "@welcome", "@closed-2"])
_DAY = st.dates(date(2020, 1, 1), date(2030, 12, 31))


@st.composite
def _own_days(draw: st.DrawFn) -> OwnDay:
    day = draw(_DAY)
    like = draw(st.none() | st.integers(1, 7))
    openings = () if like else tuple(draw(st.lists(_BREAK, max_size=2)))
    last = day + timedelta(days=draw(st.integers(0, 364)))
    return OwnDay(day, last, draw(_TEXT), openings, like, draw(st.booleans()))


_OPENINGS = st.builds(Opening, st.frozensets(st.integers(1, 7), min_size=1), _CLOCK, _CLOCK)
_PLACES = st.sampled_from([("", ""), ("RU", ""), ("DE", "BY"), ("US", "CA")])


@st.composite
def hours(draw: st.DrawFn) -> dict[str, Hours]:
    """Return opening hours named office and night."""
    return {
        name: Hours(
            name,
            draw(st.sampled_from(["UTC", "Europe/Moscow", "Australia/Lord_Howe"])),
            tuple(draw(st.lists(_OPENINGS, max_size=3))),
            *draw(_PLACES),
            tuple(draw(st.lists(_own_days(), max_size=3))),
        )
        for name in ("night", "office")
    }


@st.composite
def _actions(draw: st.DrawFn) -> Action:
    kind = draw(st.sampled_from(ActionKind))
    value = {ActionKind.VOICEMAIL: "22", ActionKind.NUMBER: "+79990001122"}.get(kind, "")
    if kind is not ActionKind.NUMBER:
        return Action(kind, draw(_SOUND), value)
    trunk = draw(st.none() | st.sampled_from(sorted(TRUNKS)))
    return Action(kind, draw(_SOUND), value, trunk, draw(st.integers(1, 300)))


_RULES = st.builds(
    StepRule,
    st.booleans(),
    st.none() | st.integers(1, 300),
    st.sampled_from(Strategy),
    _SOUND,
)
_MENUS = st.builds(
    Menu,
    _SOUND.filter(bool),
    st.dictionaries(st.sampled_from("0123456789"), st.sampled_from(GROUPS), min_size=1),
    st.integers(1, 30),
    st.integers(1, 5),
)


@st.composite
def dids(draw: st.DrawFn) -> dict[str, Did]:
    """Return DIDs of the groups `sales` and `no` with any rules."""
    return {
        number: Did(
            number,
            group,
            draw(_TEXT),
            draw(st.integers(1, 300)),
            draw(st.integers(1, 300)),
            draw(st.integers(1, 300)),
            draw(st.sampled_from([None, "office", "night"])),
            draw(_SOUND),
            draw(st.integers(0, 90)),
            draw(st.booleans()),
            draw(st.sampled_from([None, other])),
            draw(_actions()),
            draw(_actions()),
            draw(st.none() | _MENUS),
            draw(st.dictionaries(st.sampled_from(StepName), _RULES)),
        )
        for number, group, other in (("0100", "sales", "no"), ("74951234567", "no", "sales"))
    }


def _numbers(part: str) -> st.SearchStrategy[dict[str, int]]:
    """Return the numbers of a part of the rules of callbacks; of the rules themselves: ``."""
    names = {
        name.removeprefix(f"{part}."): limits
        for name, limits in LIMITS.items()
        if name.rpartition(".")[0] == part
    }
    return st.fixed_dictionaries({}, optional={n: st.integers(*each) for n, each in names.items()})


@st.composite
def callbacks(draw: st.DrawFn) -> CallbackRules:
    """Return rules of callbacks."""
    return CallbackRules(
        automatic=draw(st.sampled_from(Automatic)),
        first=draw(st.sampled_from(First)),
        shown=draw(st.sampled_from(Shown)),
        quiet=QuietHours(
            draw(_CLOCK), draw(_CLOCK), draw(st.frozensets(st.integers(1, 7))), draw(_CLOCK),
            draw(_CLOCK),
        ),
        spacing=Spacing(**draw(_numbers("spacing"))),
        caps=Caps(**draw(_numbers("caps"))),
        client_key=draw(st.booleans()),
        machine_detection=draw(st.booleans()),
        greetings=draw(st.dictionaries(st.sampled_from(["ru", "en", "de"]), _SOUND.filter(bool))),
        regions=tuple(draw(st.lists(st.sampled_from(["RU", "US", "KZ"]), unique=True))),
        types=tuple(draw(st.lists(st.sampled_from(TYPES), unique=True, min_size=1))),
        **draw(_numbers("")),
    )  # fmt: skip
