"""What an admin set up: operators, groups with their rosters, hours, trunks, DIDs, callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from telephony.domain.blocklist import Blocklist
from telephony.domain.callback.rules import CallbackRules
from telephony.domain.did import Did
from telephony.domain.duty import Absence, Presence, Roster, Timeline, presence
from telephony.domain.duty.slots import Interval, union
from telephony.domain.hours import Hours
from telephony.domain.numbers import dialled, digits
from telephony.domain.queueing import QueueSettings


@dataclass(frozen=True, slots=True)
class Operator:
    """Someone with an extension.

    `mobile` is E.164 and dialled through `trunk`, None for the PBX's usual one; `deputy` is an
    extension.
    """

    extension: str
    name: str
    endpoint: str
    mobile: str | None = None
    deputy: str | None = None
    trunk: str | None = None


@dataclass(frozen=True)
class Group:
    """Operators that share a duty roster, and the queue in which callers wait for them, if any.

    `hours` names its opening hours, None for always.
    """

    name: str
    roster: Roster
    queue: QueueSettings | None = None
    hours: str | None = None

    @cached_property
    def timeline(self) -> Timeline:
        """Who of the roster is where, by the moment."""
        return Timeline(self.roster)


@dataclass(frozen=True, slots=True)
class Trunk:
    """A PJSIP endpoint that numbers outside are dialled through, and how it wants them.

    `template` holds one of {digits} (79161110001), {e164} (+79161110001) and {national}
    (9161110001) between digits of a prefix: `8{national}`.
    """

    endpoint: str
    template: str = "{digits}"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox on the PBX: `number` in digits; messages go to `email` too, if there is one.

    `pin` are digits by which messages are heard on a phone; empty for none that anybody knows.
    """

    number: str
    name: str
    email: str = ""
    pin: str = ""


@dataclass(frozen=True)
class Setup:
    """What an admin set up: small, replaced as a whole when it changes.

    The rosters of the groups hold the absences too, each those of everybody, and of those that
    come from operators' calendars, `calendar_absences`, the ones of whom it names. The latter are
    nobody's to edit here.
    """

    operators: Mapping[str, Operator] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    dids: Mapping[str, Did] = field(default_factory=dict)
    default_group: str | None = None
    absences: tuple[Absence, ...] = ()
    blocked: Blocklist = field(default_factory=Blocklist)
    calendar_absences: tuple[Absence, ...] = ()
    hours: Mapping[str, Hours] = field(default_factory=dict)
    trunks: Mapping[str, Trunk] = field(default_factory=dict)
    mailboxes: Mapping[str, Mailbox] = field(default_factory=dict)
    callbacks: CallbackRules = field(default_factory=CallbackRules)

    def hours_of(self, did: Did) -> Hours | None:
        """Return when a DID is open; None for always."""
        group = self.groups.get(did.group)
        name = did.hours or (group.hours if group else None)
        return self.hours.get(name) if name else None

    def wanted(self, group: str, since: datetime, until: datetime) -> list[Interval] | None:
        """Return when somebody of a group should be on duty: as long as a number of it is open.

        The numbers are those that the group is on duty for, by a menu or as the one that takes over
        too; of a group without any its own hours count. None is always.
        """
        dids = [did for did in self.dids.values() if group in _groups_of(did)]
        if dids:
            those = [self.hours_of(did) for did in dids]
        else:
            named = self.groups[group].hours
            those = [self.hours.get(named) if named else None]
        found: list[Interval] = []
        for hours in those:
            if hours is None:
                return None
            found += hours.spans(since, until)
        return union(found)

    def is_called(self, group: str) -> bool:
        """Tell whether any number leads to a group."""
        return group == self.default_group or any(
            group in _groups_of(did) for did in self.dids.values()
        )

    @property
    def last_talk_days(self) -> int:
        """How far back any DID asks who talked to a caller last; 0 when none does."""
        return max((did.last_operator_days for did in self.dids.values()), default=0)

    def prepare(self, moment: datetime) -> None:
        """Work out what decisions around an aware moment look up, so that none has to wait."""
        _ = self.desks, self.mobiles, self.absences_of, self.timelines_of
        self.blocked.prepare()
        for group in self.groups.values():
            group.timeline.at(moment)
        for hours in self.hours.values():
            hours.at(moment)

    @cached_property
    def desks(self) -> dict[str, str]:
        """Endpoint → extension."""
        return {operator.endpoint: operator.extension for operator in self.operators.values()}

    @property
    def renamed_desks(self) -> tuple[tuple[str, str], ...]:
        """(endpoint, extension) of the operators whose endpoint has another name."""
        return tuple(pair for pair in self.desks.items() if pair[0] != pair[1])

    @cached_property
    def mobiles(self) -> dict[str, str]:
        """Mobile → extension, mobiles in digits, also as their operators' trunks dial them."""
        mobiles = [
            (one.mobile, one.trunk, one.extension) for one in self.operators.values() if one.mobile
        ]
        found = {
            digits(self.line(mobile, trunk).partition("@")[0]): extension
            for mobile, trunk, extension in mobiles
            if trunk
        }
        return found | {digits(mobile): extension for mobile, _, extension in mobiles}

    def line(self, number: str, trunk: str | None) -> str:
        """Return what Asterisk dials for an E.164 number; empty for the PBX's usual trunk."""
        known = self.trunks.get(trunk) if trunk else None
        if known is None:
            return ""
        try:
            return f"{dialled(number, known.template)}@{known.endpoint}"
        except ValueError:
            return ""  # a number of no country goes the usual way

    @cached_property
    def absences_of(self) -> dict[str, tuple[Absence, ...]]:
        """Extension → when its operator is away."""
        found: dict[str, tuple[Absence, ...]] = {}
        for absence in (*self.absences, *self.calendar_absences):
            found[absence.operator] = (*found.get(absence.operator, ()), absence)
        return found

    @cached_property
    def timelines_of(self) -> dict[str, tuple[Timeline, ...]]:
        """Extension → the timelines of groups whose rosters name it."""
        found: dict[str, tuple[Timeline, ...]] = {}
        for group in self.groups.values():
            for operator in group.roster.named:
                found[operator] = (*found.get(operator, ()), group.timeline)
        return found

    def presence(self, extension: str, at: datetime) -> Presence:
        """Return where an operator is at an aware moment: the strongest of all groups."""
        timelines = self.timelines_of.get(extension, ())
        return presence(timelines, extension, at, self.absences_of.get(extension, ()))


def _groups_of(did: Did) -> set[str | None]:
    return {did.group, did.overflow, *(did.menu.choices.values() if did.menu else ())}
