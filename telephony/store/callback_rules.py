"""What an admin decides about callbacks: one row, read as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from datetime import time
from typing import Any, TypeVar

from sqlalchemy import Column, Integer, Table, delete, insert, select
from sqlalchemy.orm import Session

from telephony.domain.callback.rules import (
    Automatic,
    CallbackRules,
    Caps,
    First,
    QuietHours,
    Shown,
    Spacing,
)
from telephony.store.tables import Json, metadata

# `rules` are all fields of CallbackRules by their names, times as "21:00".
callback_rules = Table(
    "callback_rules",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("rules", Json, nullable=False),
)

_ONLY = 1
_CLOCKS = ("start", "end", "weekend_start", "weekend_end")
_T = TypeVar("_T")


def load_callback_rules(session: Session) -> CallbackRules:
    """Return the rules of callbacks, the usual ones where nobody set any."""
    found = session.execute(select(callback_rules.c.rules)).scalars().first()
    return rules_from_json(found or {})


def replace_callback_rules(session: Session, rules: CallbackRules) -> None:
    """Make these the rules of callbacks."""
    session.execute(delete(callback_rules))
    session.execute(insert(callback_rules), [{"id": _ONLY, "rules": rules_to_json(rules)}])


def rules_to_json(rules: CallbackRules) -> dict[str, Any]:
    """Return all rules, those with usual values too: what is usual may change, theirs may not."""
    quiet = asdict(rules.quiet)
    return {
        **{one.name: getattr(rules, one.name) for one in fields(rules)},
        "automatic": rules.automatic.value,
        "first": rules.first.value,
        "shown": rules.shown.value,
        "quiet": quiet
        | {name: f"{quiet[name]:%H:%M}" for name in _CLOCKS}
        | {"days": sorted(rules.quiet.days)},
        "spacing": asdict(rules.spacing),
        "caps": asdict(rules.caps),
        "greetings": dict(rules.greetings),
        "regions": list(rules.regions),
        "types": list(rules.types),
    }


def rules_from_json(value: Mapping[str, Any]) -> CallbackRules:
    """Return what `rules_to_json` gave, of another version too.

    What that did not know is as usual here, what is not known here is left out.
    """
    made: dict[str, Callable[[Any], Any]] = {
        "automatic": Automatic,
        "first": First,
        "shown": Shown,
        "quiet": _quiet,
        "spacing": lambda one: Spacing(**_known(Spacing, one, {})),
        "caps": lambda one: Caps(**_known(Caps, one, {})),
        "greetings": dict,
        "regions": tuple,
        "types": tuple,
    }
    return CallbackRules(**_known(CallbackRules, value, made))


def _quiet(value: Mapping[str, Any]) -> QuietHours:
    made: dict[str, Callable[[Any], Any]] = dict.fromkeys(_CLOCKS, time.fromisoformat)
    return QuietHours(**_known(QuietHours, value, made | {"days": frozenset}))


def _known(
    kind: type[Any], value: Mapping[str, Any], made: Mapping[str, Callable[[Any], Any]]
) -> dict[str, Any]:
    """Return the fields of a dataclass that a mapping has, each made of what stands there."""
    found: dict[str, Any] = {}
    for one in fields(kind):
        if one.name in value:
            try:
                found[one.name] = made.get(one.name, _same)(value[one.name])
            except ValueError:  # a choice that is not known here
                continue
    return found


def _same(value: _T) -> _T:
    return value
