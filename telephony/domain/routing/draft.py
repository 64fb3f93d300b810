"""A plan and a trace in the making, local to one decision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from telephony.domain.did import Did, StepName, StepRule, Strategy
from telephony.domain.duty import Presence
from telephony.domain.pauses import do_not_disturb, forwarded, pause_of
from telephony.domain.routing.plan import Checked, Kind, Question, Situation, Step, Target
from telephony.domain.routing.reasons import Reason, Rule
from telephony.domain.setup import Operator, Setup

# A phone that rings for another caller can ring for this one too; the rest is taken as unknown.
_REASON_OF_STATE = {
    "NOT_INUSE": Reason.FREE,
    "RINGING": Reason.RINGING,
    "INUSE": Reason.BUSY,
    "BUSY": Reason.BUSY,
    "RINGINUSE": Reason.BUSY,
    "ONHOLD": Reason.BUSY,
    "UNAVAILABLE": Reason.UNREGISTERED,
    "INVALID": Reason.UNREGISTERED,
}
REASON_OF_ABSENCE = {
    Presence.LUNCH: Reason.AT_LUNCH,
    Presence.ABSENT: Reason.ABSENT,
    Presence.OFF: Reason.OFF_SHIFT,
}
CAN_RING = frozenset({Reason.FREE, Reason.RINGING, Reason.STATE_UNKNOWN})
# Asterisk can dial only so many contacts at once (docs/dialplan.md).
MOST_DESKS = 25
# The steps that a channel gets at most (docs/dialplan.md).
MOST_STEPS = 24
_LONGEST_TARGETS = 800


@dataclass
class Draft:
    """What is known of one call, and what was decided so far."""

    question: Question
    situation: Situation
    setup: Setup
    steps: list[Step] = field(default_factory=list)
    trace: list[Checked] = field(default_factory=list)
    rung: set[str] = field(default_factory=set)

    def note(self, rule: Rule, used: bool, reason: Reason, **values: str) -> bool:
        """Write one line of the trace; return whether the rule was used."""
        self.trace.append(Checked(rule, used, reason, tuple(values.items())))
        return used

    def say(self, rule: Rule, sound: str) -> None:
        """Let the caller hear a sound, if there is one, once for each rule."""
        said = any(step.kind is Kind.SAY and step.rule is rule for step in self.steps)
        if sound and not said:
            self.steps.append(Step(Kind.SAY, rule, sound=sound))

    def ring(
        self, kind: Kind, rule: Rule, seconds: int, settings: StepRule, targets: Sequence[Target]
    ) -> None:
        """Ring targets, all at once or one after the other, after the step's announcement."""
        self.say(rule, settings.announcement)
        size = 1 if settings.strategy is Strategy.IN_TURN else MOST_DESKS
        lasts = seconds if settings.seconds is None else settings.seconds
        for together in _together(targets, size):
            self.steps.append(Step(kind, rule, together, lasts))
        self.rung.update(target.operator for target in targets)

    def person(self, rule: Rule, operator: Operator, did: Did) -> None:
        """Ring an operator's desk phone and then the mobile, as far as that can be."""
        who = {"operator": operator.name, "extension": operator.extension}
        desk_rule, mobile_rule = Rule(f"{rule}_desk"), Rule(f"{rule}_mobile")
        settings = did.step(StepName(desk_rule.value))
        desk = self.desk(operator)
        if not settings.enabled:
            self.note(desk_rule, False, Reason.STEP_OFF)
        elif self.note(desk_rule, desk in CAN_RING, desk, endpoint=operator.endpoint, **who):
            target = Target(operator.extension, operator.endpoint)
            self.ring(Kind.DESK, desk_rule, did.desk_seconds, settings, [target])
        self.mobile(mobile_rule, operator, did)

    def mobile(self, rule: Rule, operator: Operator, did: Did) -> None:
        """Ring an operator's mobile unless the operator talks at the desk."""
        who = {"operator": operator.name, "extension": operator.extension}
        settings = did.step(StepName(rule.value))
        if not settings.enabled:
            self.note(rule, False, Reason.STEP_OFF)
        elif self.desk(operator) is Reason.BUSY:
            self.note(rule, False, Reason.BUSY_AT_DESK, **who)
        elif operator.mobile is None:
            self.note(rule, False, Reason.NO_MOBILE, **who)
        else:
            self.note(rule, True, Reason.HAS_MOBILE, mobile=operator.mobile, **who)
            line = self.setup.line(operator.mobile, operator.trunk)
            target = Target(operator.extension, operator.mobile, line)
            self.ring(Kind.MOBILE, rule, did.mobile_seconds, settings, [target])

    def desk(self, operator: Operator) -> Reason:
        """Return whether an operator's desk phone can be rung now.

        Who forwards calls is somewhere else: the mobile comes at once, if there is one.
        """
        devices = self.situation.devices
        state = devices.get(f"PJSIP/{operator.endpoint}", "")
        reason = _REASON_OF_STATE.get(state, Reason.STATE_UNKNOWN)
        if reason in CAN_RING and operator.mobile and forwarded(devices, operator.extension):
            return Reason.FORWARDED
        return reason

    def away(self, extension: str) -> tuple[Reason, dict[str, str]] | None:
        """Return why somebody on shift takes no calls now, None when they do."""
        pause = pause_of(self.situation.devices, extension)
        if pause is not None:
            return Reason.PAUSED, {"kind": pause.value}
        if do_not_disturb(self.situation.devices, extension):
            return Reason.DO_NOT_DISTURB, {}
        if extension in self.situation.wrapping:
            return Reason.WRAP_UP, {}
        return None

    def fit(self) -> None:
        """Leave out what the PBX cannot be sent: the last phones, never a queue or the end."""
        rings = [step for step in self.steps if step.kind in (Kind.DESK, Kind.MOBILE)]
        excess = len(self.steps) - MOST_STEPS
        if excess <= 0:
            return
        gone = rings[-excess:] if excess <= len(rings) else rings
        kept = [step for step in self.steps if not any(step is one for one in gone)]
        self.steps[:] = [*kept[: MOST_STEPS - 1], kept[-1]] if len(kept) > MOST_STEPS else kept
        self.note(Rule.LAST, False, Reason.TOO_MANY_STEPS, count=str(len(gone)))


def _together(targets: Sequence[Target], size: int) -> Iterator[tuple[Target, ...]]:
    """Yield targets that ring at once: so many at most, and not more text than a variable takes."""
    found: list[Target] = []
    for target in targets:
        long = sum(len(one.address) + 1 for one in found) + len(target.address) > _LONGEST_TARGETS
        if found and (len(found) == size or long):
            yield tuple(found)
            found = []
        found.append(target)
    if found:
        yield tuple(found)
