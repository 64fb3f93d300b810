"""Announcements: uploaded, heard, renamed, replaced and deleted by the panel's own checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from flask import Response, abort

from telephony import sounds
from telephony.accounts import Scope
from telephony.configfile import CALLBACKS
from telephony.domain.announcements import places_of
from telephony.domain.setup import Setup
from telephony.sounds import MOST_BODY, InUseError, Objected
from telephony.store.announcements import (
    Announcement,
    get_announcement,
    get_wav,
    list_announcements,
)
from telephony.store.engine import reading
from telephony.store.setup import load_setup
from web.api import schemas, soundshapes
from web.api.base import conflict, reads, refuse, writes
from web.notes import note_by_token
from web.security import takes
from web.services import services
from web.texts import gettext
from web.words import place_words
from web.wrong import sound_words

_READ, _WRITE = Scope.SETUP_READ, Scope.SETUP_WRITE
_ONE = "/announcements/<name>"


@reads("/announcements", _READ, soundshapes.AnnouncementList, schemas.Paged)
def announcements(query: Mapping[str, Any]) -> dict[str, Any]:
    """List the announcements by name, and where each is played."""
    with reading(services().engine) as session:
        found, setup = list_announcements(session), load_setup(session)
    shown = found[query["offset"] : query["offset"] + query["limit"]]
    return {"items": [_line(setup, one) for one in shown], "total": len(found)}


@reads(_ONE, _READ, soundshapes.OneAnnouncement, schemas.Empty, one=True)
def one_announcement(query: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Show one announcement."""
    del query
    return _shown(name)


@reads(f"{_ONE}/sound", _READ, soundshapes.WAV, schemas.Empty, one=True, media="audio/wav")
def announcement_sound(query: Mapping[str, Any], name: str) -> Response:
    """Give an announcement as Asterisk plays it: WAV of 16 bits, one channel, 8 kHz."""
    del query
    with reading(services().engine) as session:
        wav = get_wav(session, name)
    if wav is None:
        abort(404)
    return Response(wav, mimetype="audio/wav")


@writes(
    "POST",
    "/announcements",
    _WRITE,
    soundshapes.OneAnnouncement,
    soundshapes.AnnouncementForm,
    status=201,
    one=False,
    form=True,
)
@takes(MOST_BODY)
def add_announcement(query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Upload an announcement."""
    del query
    offer = services()
    one, wrong = sounds.add(
        offer.engine, body["name"], body["title"], body["file"], offer.now(), note_by_token
    )
    if one is None:
        _refuse(wrong)
    return _shown(one.name)


@writes(
    "PATCH",
    _ONE,
    _WRITE,
    soundshapes.OneAnnouncement,
    soundshapes.AnnouncementPatch,
    form=True,
)
@takes(MOST_BODY)
def change_announcement(
    query: Mapping[str, Any], body: Mapping[str, Any], name: str
) -> dict[str, Any]:
    """Give an announcement another title, put another sound in its place, or both."""
    del query
    offer = services()
    one, wrong = sounds.amend(
        offer.engine, name, body.get("title"), body.get("file"), offer.now(), note_by_token
    )
    if wrong:
        _refuse(wrong)
    if one is None:
        abort(404)
    return _shown(one.name)


@writes("DELETE", _ONE, _WRITE, None, status=204)
def delete_announcement(query: Mapping[str, Any], name: str) -> None:
    """Delete an announcement, unless something plays it (409, with what does)."""
    del query
    try:
        found = sounds.remove(services().engine, name, note_by_token)
    except InUseError as error:
        conflict(
            gettext("It is played and cannot be deleted"),
            [
                {
                    "in": "setup",
                    "name": f"dids.{number}" if number else CALLBACKS,
                    "code": place,
                    "detail": ": ".join(filter(None, (number, place_words(place)))),
                }
                for number, place in error.places
            ],
        )
    if not found:
        abort(404)


def _refuse(wrong: Iterable[Objected]) -> NoReturn:
    errors: dict[str, list[str]] = {}
    for one in wrong:
        errors.setdefault(one.field, []).append(sound_words(one.why))
    refuse(errors, "form")


def _shown(name: str) -> dict[str, Any]:
    with reading(services().engine) as session:
        one = get_announcement(session, name)
        setup = load_setup(session)
    if one is None:
        abort(404)
    return _line(setup, one)


def _line(setup: Setup, one: Announcement) -> dict[str, Any]:
    return {
        "name": one.name,
        "title": one.title,
        "duration_ms": round(one.seconds * 1000),
        "sha256": one.digest,
        "changed_at": one.changed_at,
        "played": [
            {"did": number, "place": place, "words": place_words(place)}
            for number, place in places_of(setup, one.name)
        ],
    }
