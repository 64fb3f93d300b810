"""The shapes of the set-up in the API; entries are those of the YAML file, see configuration.md."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import Schema, fields, validate

from telephony.configfile import SECTIONS
from web.api.fields import Fits, Whole, at, count, printable, text
from web.api.schemas import Checked, Step, listed

_FINGERPRINT = Fits(r"^[0-9a-f]{32}$", re.ASCII)


def _entry(about: str, **more: Any) -> Any:
    return fields.Dict(keys=fields.String(), metadata={"description": about}, **more)


class WholeSetup(Schema):
    """The set-up and its version."""

    version = count("Goes up with each change", required=True)
    setup = _entry("Lists by section, and `callbacks`, as in the YAML file", required=True)


class SetupBody(Schema):
    """A set-up to be put in the place of the one there is."""

    version = Whole(
        metadata={"description": "The version that was read: 409 when there is another by now"}
    )
    setup = _entry("Lists by section, and `callbacks`, as in the YAML file", required=True)


class DryRunQuery(Schema):
    """Whether anything is changed."""

    dry_run = fields.Boolean(
        load_default=False, metadata={"description": "Only say what would change"}
    )


class EntryVersionQuery(Schema):
    """Which state of an entry was seen."""

    version = text("The entry's version: 409 when it is another by now", validate=_FINGERPRINT)


class OneEntry(Schema):
    """An entry of the set-up."""

    key = text("What names it: an extension, a name, a number", required=True)
    version = text("Tells its state", required=True)
    entry = _entry("As in the YAML file", required=True)


class EntryList(Schema):
    """Some entries."""

    items = fields.List(fields.Nested(OneEntry), required=True)
    total = count("How many there are", required=True)


class EntryBody(Schema):
    """An entry to be put; what it does not have is as usual."""

    version = text("The entry's version: 409 when it is another by now", validate=_FINGERPRINT)
    entry = _entry('As in the YAML file; of absences {"entries": […]}', required=True)


class FieldOf(Schema):
    """A field before and after: texts, or entries that went and came."""

    name = text("The field", required=True)
    old = fields.Raw(required=True, metadata={"description": "Before"})
    new = fields.Raw(required=True, metadata={"description": "After"})


class DifferenceOf(Schema):
    """What was changed of one thing."""

    what = text(
        "operator, group, did, hours, trunk, mailbox, absences of, or callback rules", required=True
    )
    key = text("What names it; empty for the callback rules", required=True)
    action = text("added, removed or changed", required=True)
    fields_ = fields.List(
        fields.Nested(FieldOf), data_key="fields", attribute="fields", required=True
    )


class Changed(Schema):
    """What a change did, or would do."""

    version = count("The set-up's version now", required=True)
    applied = fields.Boolean(required=True, metadata={"description": "Whether it was changed"})
    differences = fields.List(fields.Nested(DifferenceOf), required=True)


class UndoQuery(DryRunQuery):
    """Whether anything is changed, and what was seen before."""

    expected = count("The set-up's version that was read: 409 when there is another by now")


class OneChange(Schema):
    """A change of the set-up."""

    version = count("The version that it made", required=True)
    at = at("When", required=True)
    actor = text("Who: a login, or the command line", required=True)
    undid = count(
        "The version whose change it took back, with all later ones",
        required=True,
        allow_none=True,
    )
    differences = fields.List(fields.Nested(DifferenceOf), required=True)


class ExplainQuery(Schema):
    """A call: who would get it?"""

    did = text(
        "The number dialled",
        required=True,
        validate=Fits(r"^\+?[0-9]{3,15}$", re.ASCII),
    )
    number = text(
        "The caller's, in any notation; empty for a hidden one",
        load_default="",
        validate=printable(40),
    )
    at = at("The moment; without it now, with the phones as they are")
    key = text(
        "What was pressed in the menu, - for nothing; empty before the menu",
        load_default="",
        validate=Fits(r"^[0-9*#-]?$", re.ASCII),
    )


class EntryOf(Schema):
    """One entry, as `PUT` of its address takes it."""

    section = text("The section", required=True, validate=validate.OneOf([*SECTIONS, "absences"]))
    key = text("What names it: an extension, a name, a number", required=True)
    entry = _entry('As in the YAML file; of absences {"entries": […]}', required=True)


class WhatIfBody(ExplainQuery):
    """A call, and a change that is not made: either `setup` or `change`."""

    setup = _entry("A whole set-up: lists by section, as in the YAML file")
    change = fields.Nested(EntryOf, metadata={"description": "One entry to be added or replaced"})


class AskedOf(Schema):
    """The call that was asked of."""

    did = text("The number dialled, digits", required=True)
    number = text("The caller's, E.164; empty when hidden", required=True)
    at = at("The moment", required=True)
    phones = text("seen: as they are now; free: taken as connected and free", required=True)


class AnswerOf(Schema):
    """Who would get the call, and why."""

    plan = fields.List(fields.Nested(Step), required=True)
    trace = fields.List(fields.Nested(Checked), required=True)


class Explained(AskedOf, AnswerOf):
    """Who would get a call, and why, by the set-up of today."""


class WhatIf(AskedOf):
    """Who would get a call, and why: as things are, and with a change that is not made."""

    version = count("The set-up's version", required=True)
    stored = fields.Nested(AnswerOf, required=True)
    changed = fields.Nested(AnswerOf, required=True)
    differences = fields.List(fields.Nested(DifferenceOf), required=True)


ChangeList = listed(OneChange)
