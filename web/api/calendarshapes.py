"""The shapes of calendars that duty comes from, and of links by which duty is subscribed to."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from telephony.domain.duty import AbsenceKind
from telephony.domain.duty.calendars import Flaw, Takes
from telephony.ical import Fault
from telephony.store.calendars import Owner
from telephony.words import LANGUAGES
from web.api.fields import Truth, Whole, at, code, count, text
from web.api.schemas import listed


class Owned(Schema):
    """Whose it is."""

    owner_kind = code(Owner, "Whose it is", required=True)
    owner = text("The group's name, or the operator's extension", required=True)


class CalendarLine(Owned):
    """A calendar in a list."""

    id = count("Its id", required=True)
    title = text("What it calls itself, or the file's name", required=True)
    place = text("Its server, without the path; null for a file", required=True, allow_none=True)
    enabled = fields.Boolean(required=True, metadata={"description": "Whether duty comes from it"})
    layer = count("Of a group's shifts", required=True)
    takes = code(Takes, "Which events of an operator's calendar are absences", required=True)
    zone = text("IANA name; null: the group's own", required=True, allow_none=True)
    fetched_at = at("When the last good copy was the calendar as it is", required=True)
    age_ms = count("How old the last good copy is", required=True)
    changed_at = at("When it last brought something else", required=True)
    next_at = at("When it is looked at next; null: not by itself", required=True, allow_none=True)
    created_at = at("When it was added", required=True)
    fault = code(Fault, "Why it cannot be read; null: it can", required=True, allow_none=True)
    fault_words = text("The same in words, by Accept-Language", required=True)
    failing_since = at("Since when it cannot be read", required=True, allow_none=True)
    problems = count("How many complaints there are", required=True)


class ComplaintOf(Schema):
    """What of a calendar leads nowhere."""

    flaw = code(Flaw, "What is wrong", required=True)
    title = text("The event's title", required=True)
    found = text("What stands there, such as a name", required=True)
    at = at("When the event begins", required=True, allow_none=True)
    words = text("What is wrong in words, by Accept-Language", required=True)


class BroughtOf(Schema):
    """A shift or an absence that a calendar brings."""

    operator = text("The extension", required=True)
    kind = code(AbsenceKind, "Of an absence; null for a shift", required=True, allow_none=True)
    begin = at("When it begins", required=True)
    end = at("When it ends", required=True)


class OneCalendar(CalendarLine):
    """A calendar with what is wrong in it and what it brings."""

    complaints = fields.List(fields.Nested(ComplaintOf), required=True)
    brings = fields.List(
        fields.Nested(BroughtOf),
        required=True,
        metadata={"description": "Of the next 14 days, in use or not"},
    )


class FileBody(Schema):
    """A file in the iCalendar format."""

    file = text("The file's text, up to 256 KB", required=True)
    file_name = text("The file's name, its title here", load_default="")


class CalendarBody(Owned):
    """A calendar to be added: by `url` or as `file`."""

    url = text("Its address (.ics), which is kept sealed", load_default="")
    file = text("The text of a file, up to 256 KB", load_default="")
    file_name = text("The file's name, its title here", load_default="")
    layer = Whole(
        load_default=0, metadata={"description": "Of a group's shifts, 0 to 99; 0: beside weekly"}
    )
    takes = code(
        Takes, "Of an operator: all events (busy) or those that say so", load_default=Takes.BUSY
    )
    zone = text("Of an operator: the IANA name for whole days", load_default="UTC")
    enabled = Truth(
        load_default=False, metadata={"description": "Use it at once, without a look at it first"}
    )


class CalendarPatch(Schema):
    """Whether a calendar is used."""

    enabled = Truth(required=True, metadata={"description": "Whether duty comes from it"})


class OneLink(Owned):
    """A link to the duty of a group or an operator."""

    id = count("Its id", required=True)
    lunch = fields.Boolean(required=True, metadata={"description": "Whether it shows lunch breaks"})
    language = text("In which language its words are", required=True)
    made_by = text("A login, or the name of a token", required=True)
    created_at = at("When it was made", required=True)
    used_at = at("When it was last fetched", required=True, allow_none=True)


class NewLink(OneLink):
    """A link that was just made."""

    address = text("The secret address, which is shown this once", required=True)


class LinkBody(Owned):
    """A link to be made."""

    lunch = Truth(load_default=False, metadata={"description": "Show lunch breaks, too"})
    language = text(
        "Of its words; without it that of Accept-Language", validate=validate.OneOf(LANGUAGES)
    )


CalendarList = listed(CalendarLine)
LinkList = listed(OneLink)
