"""The shapes of duty to come: slots, turns and what is wrong."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from telephony.domain.duty import AbsenceKind, Layer, Trouble
from web.api.fields import at, code, count, printable, text
from web.api.schemas import Paged, Span, listed


def _group(**more: Any) -> Any:
    return text("Only this group", validate=printable(100), **more)


def _operators() -> Any:
    return fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Their extensions; none: nobody is on duty"},
    )


class DutyQuery(Schema):
    """Which duty: from one moment to another, at most 62 days."""

    from_ = at("From this moment on; without it from now on", data_key="from")
    to = at("Before this moment; without it seven days after `from`")
    group = _group()


class GroupQuery(Schema):
    """Of which group."""

    group = _group()


class WarningsQuery(Paged):
    """Of which group."""

    group = _group()


class SlotOf(Span):
    """Duty of an operator without a break, or a lunch break."""

    operator = text("The extension", required=True)
    layer = code(Layer, "What of the roster put them there", required=True)
    lunch = fields.Boolean(required=True, metadata={"description": "A break: nobody to ring"})
    instead_of = text("Whose place it is, by a swap or as cover", required=True, allow_none=True)


class DoubleOf(Span):
    """When an operator is on duty twice in one group."""

    operator = text("The extension", required=True)


class AbsenceOf(Span):
    """When an operator is away, also beyond the time that was asked for."""

    operator = text("The extension", required=True)
    kind = code(AbsenceKind, "Why", required=True)
    cover = text("Who takes over", required=True, allow_none=True)


class GroupDuty(Schema):
    """A group's duty."""

    group = text("The group", required=True)
    zone = text("IANA name of its clocks", required=True)
    slots = fields.List(fields.Nested(SlotOf), required=True)
    gaps = fields.List(
        fields.Nested(Span),
        required=True,
        metadata={"description": "When nobody is on duty while a number of the group is open"},
    )
    doubles = fields.List(fields.Nested(DoubleOf), required=True)
    absences = fields.List(
        fields.Nested(AbsenceOf),
        required=True,
        metadata={"description": "Of those whom the roster names"},
    )


class DutyOf(Span):
    """The duty of groups from one moment to another."""

    groups = fields.List(fields.Nested(GroupDuty), required=True)


class NowOf(Schema):
    """Who is on duty now."""

    operators = _operators()
    end = at("Until when; null: for two weeks or more", required=True, allow_none=True)


class NextOf(NowOf):
    """Who is on duty next."""

    begin = at("From when", required=True)


class GroupNow(Schema):
    """Who is on duty in a group, now and next."""

    group = text("The group", required=True)
    zone = text("IANA name of its clocks", required=True)
    now = fields.Nested(NowOf, required=True)
    next = fields.Nested(
        NextOf,
        required=True,
        allow_none=True,
        metadata={"description": "After the next change; null: none within two weeks"},
    )


class DutyNow(Schema):
    """Who is on duty at this moment, and next."""

    at = at("This moment", required=True)
    groups = fields.List(fields.Nested(GroupNow), required=True)


class WarningOf(Span):
    """What is wrong with duty to come; hours only of an unfair load."""

    trouble = code(Trouble, "What", required=True)
    groups = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Two of them when somebody is on duty in both at once"},
    )
    operator = text("The extension; null for a gap", required=True, allow_none=True)
    hours = fields.Float(required=True, allow_none=True)
    mean = fields.Float(
        required=True, allow_none=True, metadata={"description": "Of all regulars of the group"}
    )
    more = count("How often the same comes again in these days", required=True)
    words = text("In words, by Accept-Language", required=True)


WarningList = listed(WarningOf)
