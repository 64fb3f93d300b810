"""The shapes of announcements."""

from __future__ import annotations

from typing import Any

from flask_smorest.fields import Upload
from marshmallow import Schema, fields
from werkzeug.datastructures import FileStorage

from telephony.sounds import MOST_BODY
from web.api.fields import at, count, text
from web.api.schemas import listed

WAV = {"type": "string", "format": "binary"}
_FILE = "WAV, MP3, FLAC or Ogg, up to 20 MB and five minutes"


class _Sound(Upload):  # type: ignore[misc]
    """The bytes of a file that was uploaded."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bytes:
        if not isinstance(value, FileStorage):
            raise self.make_error("validator_failed")
        return value.stream.read(MOST_BODY)


class PlaceOf(Schema):
    """Where an announcement is played."""

    did = text("The number dialled, digits; empty for callbacks", required=True)
    place = text("greeting, menu, closed, unanswered, a step, or callback", required=True)
    words = text("The place in words, by Accept-Language", required=True)


class OneAnnouncement(Schema):
    """A sound that rules name."""

    name = text("Rules call it @ and this name", required=True)
    title = text("What is spoken", required=True)
    duration_ms = count("How long it is", required=True)
    sha256 = text("Of its WAV file", required=True)
    changed_at = at("When the sound was uploaded", required=True)
    played = fields.List(
        fields.Nested(PlaceOf), required=True, metadata={"description": "Where it is played"}
    )


class AnnouncementForm(Schema):
    """A new announcement."""

    name = text("1 to 40 of a-z, 0-9 and -; it stays", required=True)
    title = text("What is spoken, up to 100 characters", required=True)
    file = _Sound(required=True, metadata={"description": _FILE})


class AnnouncementPatch(Schema):
    """What is to change of an announcement; what is not there stays."""

    title = text("What is spoken, up to 100 characters")
    file = _Sound(metadata={"description": _FILE})


AnnouncementList = listed(OneAnnouncement)
