"""What the forms offer to choose from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from telephony.domain.did import ActionKind, StepName, Strategy
from telephony.domain.publicdays import countries
from telephony.domain.setup import Setup
from telephony.store.announcements import Announcement
from telephony.zones import known_zones
from web.cleaning import visible
from web.texts import gettext

Choices = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Offers:
    """(value, words) of each choice; `sounds` are suggestions, other sounds may be typed.

    `queued` are the groups that have a queue.
    """

    groups: Choices
    hours: Choices
    trunks: Choices
    mailboxes: Choices
    sounds: Choices
    actions: Choices
    strategies: Choices
    steps: Choices
    zones: list[str]
    countries: list[str]
    queued: frozenset[str]


def offers(setup: Setup, sounds: Iterable[Announcement]) -> Offers:
    """Return the choices that a set-up gives, in the reader's language."""
    return Offers(
        groups=[(name, visible(name)) for name in setup.groups],
        hours=[(name, visible(name)) for name in setup.hours],
        trunks=[(name, name) for name in setup.trunks],
        mailboxes=[(one.number, f"{one.number} {visible(one.name)}") for one in
                   setup.mailboxes.values()],
        sounds=[(f"@{one.name}", visible(one.title)) for one in sounds],
        actions=[(kind.value, action_words(kind)) for kind in ActionKind],
        strategies=[
            (Strategy.ALL.value, gettext("all at once")),
            (Strategy.IN_TURN.value, gettext("one after the other")),
        ],
        steps=[(name.value, step_words(name)) for name in StepName],
        zones=sorted(known_zones()),
        countries=sorted(countries()),
        queued=frozenset(name for name, one in setup.groups.items() if one.queue is not None),
    )  # fmt: skip


def action_words(kind: ActionKind) -> str:
    """Return what becomes of a caller, in words."""
    return {
        ActionKind.PROMISE: gettext("promise a callback"),
        ActionKind.VOICEMAIL: gettext("voicemail"),
        ActionKind.NUMBER: gettext("another number"),
        ActionKind.FALLBACK: gettext("the fallback of the PBX"),
        ActionKind.END: gettext("end the call"),
    }[kind]


def step_words(name: StepName) -> str:
    """Return the name of a step."""
    return {
        StepName.LAST_OPERATOR_DESK: gettext("Last operator, desk phone"),
        StepName.LAST_OPERATOR_MOBILE: gettext("Last operator, mobile"),
        StepName.MANAGER_DESK: gettext("Manager, desk phone"),
        StepName.MANAGER_MOBILE: gettext("Manager, mobile"),
        StepName.DEPUTY_DESK: gettext("Deputy, desk phone"),
        StepName.DEPUTY_MOBILE: gettext("Deputy, mobile"),
        StepName.DUTY: gettext("Those on duty, desk phones"),
        StepName.DUTY_MOBILE: gettext("Those on duty, mobiles"),
        StepName.QUEUE: gettext("Queue of the group"),
        StepName.OVERFLOW: gettext("Group that takes over, desk phones"),
        StepName.OVERFLOW_MOBILE: gettext("Group that takes over, mobiles"),
        StepName.OVERFLOW_QUEUE: gettext("Group that takes over, queue"),
    }[name]
