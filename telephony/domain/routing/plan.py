"""What routing is asked and what it answers: a plan to follow, and why it is so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from telephony.domain.directory import Client
from telephony.domain.routing.reasons import Reason, Rule


class Kind(StrEnum):
    """What a step does, or how the plan ends."""

    DESK = "desk"
    MOBILE = "mobile"
    QUEUE = "queue"
    SAY = "say"
    MENU = "menu"
    NUMBER = "number"
    PROMISE = "promise"
    VOICEMAIL = "voicemail"
    REJECT = "reject"
    END = "end"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to ring for an operator: an endpoint's name, or a mobile's E.164 number.

    Of other steps: the queue's name, the number dialled, or the mailbox, with no operator. `line`
    is what Asterisk dials for a number when a trunk is named: `89161110001@trunk`.
    """

    operator: str
    address: str
    line: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; `rule` is the rule that put it there.

    DESK and MOBILE ring their targets at the same time for `seconds`; QUEUE lets the caller wait
    that long, as far in front as `priority` says; NUMBER dials. `sound` is what SAY, MENU,
    PROMISE and VOICEMAIL play. A MENU waits `seconds` for one of `keys`, `tries` times.
    """

    kind: Kind
    rule: Rule
    targets: tuple[Target, ...] = ()
    seconds: int = 0
    sound: str = ""
    keys: str = ""
    tries: int = 0
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in order; the last one ends the plan.

    `name` is the client's, `line` what was dialled: both are shown on operators' phones.
    """

    steps: tuple[Step, ...]
    name: str = ""
    line: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """One line of a trace: a rule, whether it was used, why, and the values that mattered."""

    rule: Rule
    used: bool
    reason: Reason
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, in order, and why."""

    plan: Plan
    trace: tuple[Checked, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """Who gets this number on this DID now? `number` is E.164, or empty when it is hidden.

    `key` is what the caller pressed in the DID's menu, `-` for nothing, empty before the menu.
    """

    did: str
    number: str
    at: datetime
    key: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known beside the set-up at the moment of a call.

    `devices` maps device names (`PJSIP/101`) to Asterisk's device states. `last` is the extension
    that talked to this caller last, with the moment. `wrapping` are operators in wrap-up.
    """

    client: Client | None = None
    devices: Mapping[str, str] = field(default_factory=dict)
    last: tuple[str, datetime] | None = None
    wrapping: frozenset[str] = frozenset()
