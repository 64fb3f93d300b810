"""What an admin decides about callbacks: when, whom first, how often, and whom never."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import time
from enum import StrEnum

from telephony.domain.orders import attempt_of

MOST_MINUTES = 14 * 24 * 60
# Which kinds of numbers may be called: names of `dialling.NumberType`. Premium rate and unknown
# ones are none of them.
TYPES = (
    "fixed_line",
    "mobile",
    "fixed_line_or_mobile",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
)


class Automatic(StrEnum):
    """Whom Dutyline calls back by itself; the others wait for a person."""

    NOBODY = "nobody"
    ASKED = "asked"  # who was promised it: by key, in a form, at a time agreed
    EVERYBODY = "everybody"


class First(StrEnum):
    """Whose phone rings first."""

    OPERATOR = "operator"
    CLIENT = "client"


class Shown(StrEnum):
    """Which number the client sees."""

    DID = "did"  # the one that they had called
    COMPANY = "company"  # the one in the dialplan, or the trunk's own


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When nobody is called, by the clocks of the client: from `start` to `end`, over midnight.

    On ISO weekdays `days` `weekend_start` and `weekend_end` hold instead. Equal ones are none.
    """

    start: time = time(21)
    end: time = time(8)
    days: frozenset[int] = frozenset()
    weekend_start: time = time(21)
    weekend_end: time = time(8)


@dataclass(frozen=True, slots=True)
class Spacing:
    """Minutes to the next try after each outcome of the one before it."""

    busy: int = 5
    no_answer: int = 30
    declined: int = 120
    unreachable: int = 60
    not_a_person: int = 60
    waited_in_vain: int = 5
    operator: int = 1


@dataclass(frozen=True, slots=True)
class Caps:
    """How many tries there may be at most. `number_*` are those to one number.

    A prefix is the country with the first digits of a number, see `dialling.prefix_of`.
    """

    attempts: int = 5
    number_day: int = 3
    number_week: int = 7
    prefix_hour: int = 30
    hour: int = 120
    day: int = 1000
    at_once: int = 20


@dataclass(frozen=True, slots=True)
class CallbackRules:
    """Everything that is set about callbacks. Seconds, minutes and hours as the names say.

    A missed call in which the caller waited less than `short_seconds` is a short abandon: counted,
    not called back. A conversation of `contact_seconds` that the client began, or of
    `callback_seconds` that we began, is a contact: an answering machine's greeting is shorter than
    the latter. `delay_seconds` pass before a missed call is called back; who asked is called at
    once. `claim_minutes` it is the owner's alone. Promised is a contact within `sla_minutes`, not
    counting quiet hours; `near_minutes` before that it is nearly late. After `expire_hours` a case
    is closed. With `client_key` a client has to press 1, so that no machine is connected.
    `greetings` are announcements by language, played to the client by the country of their number;
    `machine_detection` is Asterisk's AMD. Without `regions` (ISO 3166) only the company's own
    country is called; `types` are out of `TYPES`.
    """

    automatic: Automatic = Automatic.EVERYBODY
    first: First = First.OPERATOR
    shown: Shown = Shown.DID
    short_seconds: int = 5
    contact_seconds: int = 5
    callback_seconds: int = 15
    delay_seconds: int = 60
    claim_minutes: int = 10
    sla_minutes: int = 30
    near_minutes: int = 10
    expire_hours: int = 72
    operator_seconds: int = 20
    client_seconds: int = 40
    longest_minutes: int = 60
    quiet: QuietHours = QuietHours()
    spacing: Spacing = Spacing()
    caps: Caps = Caps()
    client_key: bool = False
    machine_detection: bool = False
    greetings: Mapping[str, str] = field(default_factory=dict)
    regions: tuple[str, ...] = ()
    types: tuple[str, ...] = ("fixed_line", "mobile", "fixed_line_or_mobile")

    def least_talk(self, call_id: str, *, ours: bool) -> int:
        """Return how many seconds of talk make a call a contact; `ours` when we called."""
        if not ours or (self.client_key and attempt_of(call_id) is not None):
            return self.contact_seconds
        return self.callback_seconds  # nothing else tells a person from a machine


# 8:00 to 21:00 of the called party's local time: 47 CFR 64.1200(c)(1), the TCPA's rule.
US = CallbackRules(
    quiet=QuietHours(time(21), time(8)), caps=Caps(attempts=3, number_day=3, number_week=7)
)
# 8:00 to 22:00 on workdays, 9:00 to 20:00 at weekends, once a day and twice a week: the limits of
# Russia's Federal Law 230-FZ, article 7, made for creditors; nobody complains about less.
RU = CallbackRules(
    quiet=QuietHours(time(22), time(8), frozenset({6, 7}), time(20), time(9)),
    # No more tries than a week allows: the rest would be put off beyond the end of the case.
    caps=Caps(attempts=2, number_day=1, number_week=2),
)
PRESETS: Mapping[str, CallbackRules] = {"ru": RU, "us": US}

# The lowest and the highest number that an admin may enter, by the names in the file.
LIMITS: Mapping[str, tuple[int, int]] = {
    "short_seconds": (0, 120),
    "contact_seconds": (1, 300),
    "callback_seconds": (1, 300),
    "delay_seconds": (0, 3600),
    "claim_minutes": (0, 24 * 60),
    "sla_minutes": (1, MOST_MINUTES),
    "near_minutes": (0, 24 * 60),
    "expire_hours": (1, MOST_MINUTES // 60),
    "operator_seconds": (5, 120),
    "client_seconds": (10, 120),
    "longest_minutes": (1, 240),
    **{f"spacing.{one.name}": (1, MOST_MINUTES) for one in fields(Spacing)},
    "caps.attempts": (1, 20),
    "caps.number_day": (1, 20),
    "caps.number_week": (1, 50),
    "caps.prefix_hour": (1, 10_000),
    "caps.hour": (1, 10_000),
    "caps.day": (1, 100_000),
    "caps.at_once": (1, 500),
}


def filled(rules: CallbackRules, preset: str) -> CallbackRules:
    """Return rules with what is usual in a country of PRESETS: quiet hours and how often."""
    usual = PRESETS[preset]
    return replace(rules, quiet=usual.quiet, caps=usual.caps)
