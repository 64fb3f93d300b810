"""What others did to a roster while somebody looked at it: nobody overwrites what was not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from telephony.configfile import Change, ConflictError, Data, Difference, Entry, as_data
from telephony.domain.duty import Interval, resolve
from telephony.domain.duty.slots import common, union, without
from telephony.domain.setup import Group, Setup
from telephony.store.directory import current_version
from telephony.store.engine import reading
from telephony.store.revisions import revisions_since
from telephony.store.setup import load_setup
from web.edits import edit_setup
from web.rosters.listing import entries_of
from web.rosters.week import Stretch, stretches
from web.services import services

_TRIES = 5
_DAY = timedelta(days=1)
# Entries that hold once: one that another adds for the same time may make a new one wrong.
ONCE = ("one_offs", "overrides", "swaps")


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody saw: that in `when` an operator was on duty, or exactly `those` were."""

    when: Interval
    operator: str | None
    those: frozenset[str] = frozenset()


class LostError(Exception):
    """A claim does not hold any more."""

    def __init__(self, claim: Claim) -> None:
        """Keep which one."""
        self.claim = claim
        super().__init__()


class AddedError(Exception):
    """Others added entries for the same time: (kind, entry) each."""

    def __init__(self, added: list[tuple[str, Entry]]) -> None:
        """Keep what they added."""
        self.added = added
        super().__init__()


def edit_if(check: Callable[[Session, Setup], None], edit: Callable[[Data], None]) -> Change:
    """Change the set-up unless `check` raises: what it looks at is what is changed.

    Raises ConflictError when others change the set-up all the time, besides what both raise.
    """
    for left in reversed(range(_TRIES)):
        with reading(services().engine) as session:
            version = current_version(session).setup_version
            check(session, load_setup(session))
        try:
            return edit_setup(edit, expected=version)
        except ConflictError:
            if not left:
                raise
    raise AssertionError  # the last try returns or raises


def on_duty(group: Group, when: Interval) -> list[Stretch]:
    """Return who is on duty at some time of an interval: their duty, also beyond it."""
    around = resolve(group.roster, when.start - 2 * _DAY, when.end + 2 * _DAY)
    return [each for each in stretches(around) if common(each.interval, [when])]


def there(group: Group, when: Interval) -> frozenset[str]:
    """Return who is on duty, and not at lunch, at some time of an interval."""
    return frozenset(one.operator for one in resolve(group.roster, *when).slots if not one.lunch)


def check(group: Group, claim: Claim) -> None:
    """Raise LostError unless the roster is as somebody saw it."""
    if claim.operator is None:
        holds = there(group, claim.when) == claim.those
    else:
        own = (
            one.interval
            for one in resolve(group.roster, *claim.when).slots
            if one.operator == claim.operator
        )
        holds = not without(claim.when, union(own))
    if not holds:
        raise LostError(claim)


def added_since(
    session: Session, setup: Setup, seen: int, group: str | None, kind: str, entry: Entry
) -> list[tuple[str, Entry]]:
    """Return what others added, since version `seen`, for the time of a new entry: (kind, entry).

    Entries that hold once, of the same group; or absences of the same operator.
    """
    when = _span(entry)
    if when is None or (group is not None and kind not in ONCE):
        return []
    data = as_data(setup)
    return [
        (name, each)
        for name, each in _added(session, seen, group, str(entry.get("operator", "")))
        if each in entries_of(data, group, name)
        and (span := _span(each))
        and span[0] < when[1]
        and when[0] < span[1]
    ]


def _added(
    session: Session, seen: int, group: str | None, operator: str
) -> Iterator[tuple[str, Entry]]:
    wanted = ("absences of", operator) if group is None else ("group", group)
    for revision in revisions_since(session, seen):
        for each in map(Difference.from_json, revision.differences):
            if (each.what, each.key) != wanted:
                continue
            for one in each.fields:
                kind = "absences" if group is None else one.name
                if (group is None or kind in ONCE) and not isinstance(one.new, str):
                    yield from ((kind, entry) for entry in one.new)


def _span(entry: Entry) -> tuple[datetime, datetime] | None:
    """Return when an entry holds, by its own clocks; None for nonsense."""
    keys = ("from", "to") if "from" in entry else ("start", "end")
    try:
        start, end = (_moment(str(entry[key]), last=key == keys[1]) for key in keys)
    except (KeyError, ValueError, OverflowError):
        return None
    return (start, end) if start < end else None


def _moment(text: str, *, last: bool) -> datetime:
    day, _, clock = text.partition(" ")
    whole = datetime.fromisoformat(day)
    if clock in ("", "24:00"):
        return whole + _DAY if last or clock else whole
    return datetime.fromisoformat(f"{day} {clock}")
