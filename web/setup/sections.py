"""The sections of the set-up that have forms, and what their fields offer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from telephony.domain.setup import Setup
from web.cleaning import visible
from web.setup.people import GROUP, OPERATOR
from web.setup.places import Place
from web.texts import gettext
from web.texts import lazy_gettext as _

Choices = Mapping[str, list[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Section:
    """A kind of entries: its form and its words."""

    name: str
    places: tuple[Place, ...]
    icon: str
    title: Any
    about: Any
    add: Any
    nothing: Any


SHOWN = {
    "operators": Section(
        "operators",
        OPERATOR,
        "headset",
        _("Operators"),
        _("People with an extension who take calls."),
        _("Add an operator"),
        _("No operators yet"),
    ),
    "groups": Section(
        "groups",
        GROUP,
        "users",
        _("Groups"),
        _("Operators who share a roster."),
        _("Add a group"),
        _("No groups yet"),
    ),
}


def choices(setup: Setup, key: str | None = None) -> Choices:
    """Return what fields may be chosen from, by name; `key` is the entry that is changed."""
    people = sorted(setup.operators.values(), key=lambda one: (one.name.casefold(), one.extension))
    return {
        "operators": [
            ("", gettext("nobody")),
            *(
                (one.extension, f"{visible(one.name)} ({one.extension})")
                for one in people
                if one.extension != key
            ),
        ],
        "hours": [("", gettext("none"))] + [(name, visible(name)) for name in setup.hours],
        "trunks": [("", gettext("the PBX's usual one")), *((one, one) for one in setup.trunks)],
    }
