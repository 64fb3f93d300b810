"""Announcements by name: what a name may be, and where one is played."""

from __future__ import annotations

import re
from collections.abc import Iterator

from telephony.domain.did import Did
from telephony.domain.setup import Setup

NAME = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
# What a rule may name: an announcement that was uploaded, or a sound as Asterisk knows it.
SOUND = re.compile(rf"@{NAME.pattern}|[A-Za-z0-9][A-Za-z0-9/_-]{{0,79}}", re.ASCII)
# What plays the greetings of callbacks.
CALLBACK = "callback"


def places_of(setup: Setup, name: str) -> list[tuple[str, str]]:
    """Return (DID, what plays it) of every place at which an announcement is played.

    Callbacks are of no DID: theirs is an empty one.
    """
    wanted = f"@{name}"
    return [
        (did.number, place)
        for did in setup.dids.values()
        for place, sound in _sounds(did)
        if sound == wanted
    ] + [("", CALLBACK) for sound in setup.callbacks.greetings.values() if sound == wanted]


def named_in(setup: Setup) -> frozenset[str]:
    """Return the names of all announcements that are played somewhere."""
    sounds = [sound for did in setup.dids.values() for _, sound in _sounds(did)]
    sounds += setup.callbacks.greetings.values()
    return frozenset(sound[1:] for sound in sounds if sound.startswith("@"))


def _sounds(did: Did) -> Iterator[tuple[str, str]]:
    yield "greeting", did.greeting
    yield "closed", did.closed.announcement
    yield "unanswered", did.unanswered.announcement
    if did.menu is not None:
        yield "menu", did.menu.announcement
    for step, rule in did.steps.items():
        yield step.value, rule.announcement
