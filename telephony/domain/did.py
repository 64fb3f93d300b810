"""A number that callers dial and everything an admin set for it: hours, menu, steps, ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class StepName(StrEnum):
    """A step of routing that has settings of its own; named like the rule that puts it there."""

    LAST_OPERATOR_DESK = "last_operator_desk"
    LAST_OPERATOR_MOBILE = "last_operator_mobile"
    MANAGER_DESK = "manager_desk"
    MANAGER_MOBILE = "manager_mobile"
    DEPUTY_DESK = "deputy_desk"
    DEPUTY_MOBILE = "deputy_mobile"
    DUTY = "duty"
    DUTY_MOBILE = "duty_mobile"
    QUEUE = "queue"
    OVERFLOW = "overflow"
    OVERFLOW_MOBILE = "overflow_mobile"
    OVERFLOW_QUEUE = "overflow_queue"


class Strategy(StrEnum):
    """How several phones ring: all at once, or one after the other in the roster's order."""

    ALL = "all"
    IN_TURN = "in_turn"


@dataclass(frozen=True, slots=True)
class StepRule:
    """What an admin changed about a step; None leaves it as the DID or the queue has it.

    `seconds` is how long each ring lasts. `announcement` is played before it; see `Action`.
    """

    enabled: bool = True
    seconds: int | None = None
    strategy: Strategy = Strategy.ALL
    announcement: str = ""


class ActionKind(StrEnum):
    """What becomes of a caller whom nobody is to take, or nobody took."""

    END = "end"
    PROMISE = "promise"
    VOICEMAIL = "voicemail"
    NUMBER = "number"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Action:
    """How a call ends that no operator gets.

    `announcement` is played first: a sound's name as Asterisk knows it, or `@` and the name of one
    that was uploaded. `value` is the mailbox of VOICEMAIL, or the E.164 number of NUMBER, which
    rings for `seconds` through `trunk`. PROMISE notes down that the caller is to be called back;
    without an announcement the caller hears the usual one.
    """

    kind: ActionKind
    announcement: str = ""
    value: str = ""
    trunk: str | None = None
    seconds: int = 60


@dataclass(frozen=True, slots=True)
class Menu:
    """What a caller hears first and the keys to press: key → group. No key goes on as without."""

    announcement: str
    choices: Mapping[str, str]
    seconds: int = 5
    tries: int = 2


_CLOSED = Action(ActionKind.PROMISE)
_UNANSWERED = Action(ActionKind.END)


@dataclass(frozen=True, slots=True)
class Did:
    """A number that callers dial, the group that is on duty for it, and its rules.

    Seconds; `mobile_seconds` includes neither the prompt nor the key press. `hours` names opening
    hours, None for those of the group. `greeting` is played to everybody first. Whoever talked to
    the caller within `last_operator_days` is tried first, 0 for nobody. `overflow` is a group that
    takes over when the first one did not. `closed` holds out of hours, `unanswered` when all was
    tried. With `vip_always` a VIP is routed out of hours, too.
    """

    number: str
    group: str
    title: str = ""
    desk_seconds: int = 20
    mobile_seconds: int = 25
    duty_seconds: int = 30
    hours: str | None = None
    greeting: str = ""
    last_operator_days: int = 0
    vip_always: bool = False
    overflow: str | None = None
    closed: Action = _CLOSED
    unanswered: Action = _UNANSWERED
    menu: Menu | None = None
    steps: Mapping[StepName, StepRule] = field(default_factory=dict)

    def step(self, name: StepName) -> StepRule:
        """Return what holds for a step."""
        return self.steps.get(name, _USUAL)


_USUAL = StepRule()
