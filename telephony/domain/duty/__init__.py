"""Who is on duty when: `resolve` over a span, `Timeline` at a moment, `outlook` for troubles."""

from telephony.domain.duty.entries import (
    Absence,
    AbsenceKind,
    OneOff,
    Override,
    Roster,
    Rotation,
    Shift,
    Swap,
)
from telephony.domain.duty.outlook import Trouble, Warned, gathered, loads, outlook, unfair
from telephony.domain.duty.resolve import Double, Duty, resolve
from telephony.domain.duty.slots import Interval, Layer, Slot, Source
from telephony.domain.duty.timeline import Presence, Timeline, day_span, presence

__all__ = [
    "Absence",
    "AbsenceKind",
    "Double",
    "Duty",
    "Interval",
    "Layer",
    "OneOff",
    "Override",
    "Presence",
    "Roster",
    "Rotation",
    "Shift",
    "Slot",
    "Source",
    "Swap",
    "Timeline",
    "Trouble",
    "Warned",
    "day_span",
    "gathered",
    "loads",
    "outlook",
    "presence",
    "resolve",
    "unfair",
]
