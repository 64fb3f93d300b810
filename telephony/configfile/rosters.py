"""The rosters of a set-up's file: shifts, rotations, one-off shifts, overrides, swaps, absences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time
from typing import TypeVar

import yaml

from telephony.configfile.mistakes import Mistake
from telephony.configfile.nodes import Nodes
from telephony.domain.duty import (
    Absence,
    AbsenceKind,
    OneOff,
    Override,
    Roster,
    Rotation,
    Shift,
    Swap,
)
from telephony.domain.setup import Operator

KEYS = ("shifts", "rotations", "one_offs", "overrides", "swaps")
EVERYBODY, NOBODY = "everybody", "nobody"
_LAYERS = 9
_LONGEST_TURN = 366

_T = TypeVar("_T")
_Operators = Mapping[str, Operator]
_Parts = Mapping[str, yaml.Node]


class RosterNodes(Nodes):
    """Reads the entries of rosters; each method returns None for one that is wrong."""

    def roster(self, path: str, parts: _Parts, zone: str, operators: _Operators) -> Roster:
        """Return what `parts` of a group say of its roster; absences come later."""
        shifts, rotations, one_offs, overrides, swaps = (
            list(self.items(parts.get(key), f"{path}.{key}")) for key in KEYS
        )
        return Roster(
            zone,
            _known(self.shift(place, node, operators) for place, node in shifts),
            _known(self.rotation(place, node, operators) for place, node in rotations),
            _known(self.one_off(place, node, operators) for place, node in one_offs),
            _known(self.override(place, node, operators) for place, node in overrides),
            _known(self.swap(place, node, operators) for place, node in swaps),
        )

    def shift(self, path: str, node: yaml.Node, operators: _Operators) -> Shift | None:
        parts = self.mapping(
            node,
            path,
            ("operator", "days", "start", "end"),
            ("lunch", "cover", "since", "until", "layer"),
        )
        operator = self._operator(parts, path, "operator", operators)
        days = self.days(parts.get("days"), f"{path}.days")
        start, end = (self._clock(parts, path, key) for key in ("start", "end"))
        lunch = self._lunch_of(parts, path, start, end)
        cover = self._cover(parts, path, operator, operators)
        since, until = (self.day(parts.get(key), f"{path}.{key}") for key in ("since", "until"))
        layer = self.number(parts.get("layer"), f"{path}.layer", 0, 0, _LAYERS)
        if since and until and until <= since:
            self.wrong(parts["until"], f"{path}.until", Mistake.AFTER, other="since")
        if operator is None or not days or start is None or end is None:
            return None
        return Shift(
            operator, days, start, end, lunch, cover if lunch else None, since, until, layer
        )

    def rotation(self, path: str, node: yaml.Node, operators: _Operators) -> Rotation | None:
        parts = self.mapping(
            node,
            path,
            ("turns", "first"),
            ("length", "handover", "start", "end", "days", "lunch", "cover", "until", "layer"),
        )
        turns = [
            self._people(place, turn, operators)
            for place, turn in self.items(parts.get("turns"), f"{path}.turns")
        ]
        if "turns" in parts and not turns:
            self.wrong(parts["turns"], f"{path}.turns", Mistake.NO_TURNS)
        first = self.day(parts.get("first"), f"{path}.first")
        length = self.number(parts.get("length"), f"{path}.length", 7, 1, _LONGEST_TURN)
        handover = self._clock(parts, path, "handover") or time(0)
        for one, other in (("start", "end"), ("end", "start")):
            if one in parts and other not in parts:
                self.wrong(node, f"{path}.{other}", Mistake.MISSING_BESIDE, "", other=one)
        # Without times of its own a turn is duty around the clock, from handover to handover.
        start, end = (self._clock(parts, path, key) or handover for key in ("start", "end"))
        days = frozenset(range(1, 8))
        if "days" in parts:
            days = self.days(parts["days"], f"{path}.days")
        lunch = self._lunch_of(parts, path, start, end)
        cover = self._cover(parts, path, None, operators)
        until = self.day(parts.get("until"), f"{path}.until")
        layer = self.number(parts.get("layer"), f"{path}.layer", 0, 0, _LAYERS)
        if first and until and until <= first:
            self.wrong(parts["until"], f"{path}.until", Mistake.AFTER, other="first")
        if first is None or not days or not turns or not all(turns):
            return None
        taken, cover = tuple(turns), cover if lunch else None
        return Rotation(
            taken, first, length, handover, start, end, days, lunch, cover, until, layer
        )

    def one_off(self, path: str, node: yaml.Node, operators: _Operators) -> OneOff | None:
        parts = self.mapping(node, path, ("operator", "start", "end"), ("layer",))
        operator = self._operator(parts, path, "operator", operators)
        span = self._span(parts, path, "start", "end")
        layer = self.number(parts.get("layer"), f"{path}.layer", 0, 0, _LAYERS)
        return OneOff(operator, *span, layer) if operator is not None and span else None

    def override(self, path: str, node: yaml.Node, operators: _Operators) -> Override | None:
        parts = self.mapping(node, path, ("operators", "start", "end"), ("instead_of",))
        people = self._people(f"{path}.operators", parts.get("operators"), operators, empty=True)
        span = self._span(parts, path, "start", "end")
        replaced: frozenset[str] | None = None
        instead = parts.get("instead_of")
        word = str(instead.value).strip() if isinstance(instead, yaml.ScalarNode) else ""
        if word == NOBODY:
            replaced = frozenset()
        elif instead is not None and word != EVERYBODY:
            replaced = frozenset(self._people(f"{path}.instead_of", instead, operators))
        return Override(people, *span, replaced) if span else None

    def swap(self, path: str, node: yaml.Node, operators: _Operators) -> Swap | None:
        parts = self.mapping(node, path, ("between", "start", "end"))
        between = parts.get("between")
        people = self._people(f"{path}.between", between, operators)
        span = self._span(parts, path, "start", "end")
        if len(people) != 2:
            if between is not None and people:
                self.wrong(between, f"{path}.between", Mistake.TWO_OPERATORS)
            return None
        return Swap(*people, *span) if span else None

    def absences(
        self, node: yaml.Node | None, operators: _Operators, usual_zone: str
    ) -> tuple[Absence, ...]:
        """Return who is away; `usual_zone` is that of an absence that names none."""
        return _known(
            self.absence(path, item, operators, usual_zone)
            for path, item in self.items(node, "absences")
        )

    def absence(
        self, path: str, node: yaml.Node, operators: _Operators, usual_zone: str
    ) -> Absence | None:
        parts = self.mapping(node, path, ("operator", "from", "to"), ("zone", "kind", "cover"))
        operator = self._operator(parts, path, "operator", operators)
        span = self._span(parts, path, "from", "to")
        zone = self.zone(parts["zone"], f"{path}.zone") if "zone" in parts else usual_zone
        if not zone and "zone" not in parts:
            self.wrong(node, f"{path}.zone", Mistake.ZONE_NEEDED, "")
        kind = AbsenceKind.OTHER
        if "kind" in parts:
            word = self.text(parts["kind"], f"{path}.kind")
            known = [each.value for each in AbsenceKind]
            if word in known:
                kind = AbsenceKind(word)
            else:
                self.wrong(parts["kind"], f"{path}.kind", Mistake.ONE_OF, known=", ".join(known))
        cover = self._cover(parts, path, operator, operators)
        if operator is None or not span or not zone:
            return None
        return Absence(operator, *span, zone, kind, cover)

    # Pieces

    def _operator(self, parts: _Parts, path: str, key: str, operators: _Operators) -> str | None:
        return self.known(parts.get(key), f"{path}.{key}", operators, Mistake.NO_OPERATOR)

    def _cover(
        self, parts: _Parts, path: str, operator: str | None, operators: _Operators
    ) -> str | None:
        cover = self._operator(parts, path, "cover", operators)
        if cover is not None and cover == operator:
            self.wrong(parts["cover"], f"{path}.cover", Mistake.SOMEBODY_ELSE)
            return None
        return cover

    def _people(
        self, path: str, node: yaml.Node | None, operators: _Operators, *, empty: bool = False
    ) -> tuple[str, ...]:
        """Return the extensions of a list, or of one that stands alone."""
        if node is None:
            return ()
        if isinstance(node, yaml.ScalarNode):
            found = [self.known(node, path, operators, Mistake.NO_OPERATOR)]
        else:
            found = [
                self.known(item, place, operators, Mistake.NO_OPERATOR)
                for place, item in self.items(node, path)
            ]
        if not found and not empty:
            self.wrong(node, path, Mistake.NOBODY_NAMED)
        return tuple(dict.fromkeys(who for who in found if who is not None and who in operators))

    def _clock(self, parts: _Parts, path: str, key: str) -> time | None:
        place = f"{path}.{key}"
        value = self.text(parts[key], place) if key in parts else ""
        return self.clock(parts[key], place, value, end=key == "end") if value else None

    def _span(
        self, parts: _Parts, path: str, first: str, last: str
    ) -> tuple[datetime, datetime] | None:
        start = self.moment(parts.get(first), f"{path}.{first}")
        end = self.moment(parts.get(last), f"{path}.{last}", end=True)
        if start is None or end is None:
            return None
        if end <= start:
            self.wrong(parts[last], f"{path}.{last}", Mistake.AFTER, other=first)
            return None
        return start, end

    def _lunch_of(
        self, parts: _Parts, path: str, start: time | None, end: time | None
    ) -> tuple[time, time] | None:
        node = parts.get("lunch")
        if node is None:
            if "cover" in parts:
                self.wrong(parts["cover"], f"{path}.cover", Mistake.NO_LUNCH)
            return None
        place = f"{path}.lunch"
        span = self.span_of_day(node, place)
        if span is None:
            return None
        if start is not None and end is not None and not _inside(span, start, end):
            self.wrong(node, place, Mistake.LUNCH_OUTSIDE)
        return span


def _known(entries: Iterable[_T | None]) -> tuple[_T, ...]:
    return tuple(entry for entry in entries if entry is not None)


def _inside(lunch: tuple[time, time], start: time, end: time) -> bool:
    """Tell whether a lunch lies within a shift; both may pass midnight."""
    begin, stop, shift_end = (
        (each.hour * 60 + each.minute - start.hour * 60 - start.minute) % 1440
        for each in (*lunch, end)
    )
    return begin < (stop or 1440) <= (shift_end or 1440)
