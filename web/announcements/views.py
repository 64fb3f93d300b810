"""The pages of announcements: sounds that are uploaded and that rules name."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from telephony import sounds
from telephony.accounts import Role
from telephony.domain.announcements import places_of
from telephony.sounds import MOST_BODY, InUseError, Objected
from telephony.store.announcements import (
    Announcement,
    get_announcement,
    get_wav,
    list_announcements,
)
from telephony.store.engine import reading
from telephony.store.setup import load_setup
from web.announcements.forms import AnnouncementForm, ReplaceForm
from web.cleaning import visible
from web.notes import note
from web.rights import allow
from web.security import takes
from web.services import services
from web.texts import gettext
from web.words import place_words
from web.wrong import MEGABYTES, sound_words

blueprint = Blueprint("announcements", __name__, url_prefix="/announcements")


@blueprint.get("")
@allow(Role.ADMIN, Role.SUPERVISOR)
def index() -> str:
    """List the announcements, where each is played, and how it sounds."""
    with reading(services().engine) as session:
        found = list_announcements(session)
        setup = load_setup(session)
    return render_template(
        "announcements/index.html",
        announcements=found,
        places={one.name: places_of(setup, one.name) for one in found},
        place_words=place_words,
        folder=services().settings.sounds_dir,
    )


@blueprint.get("/<name>.wav")
@allow(Role.ADMIN, Role.SUPERVISOR)
def sound(name: str) -> Response:
    """Send an announcement as Asterisk plays it."""
    with reading(services().engine) as session:
        wav = get_wav(session, name)
    if wav is None:
        abort(404)
    response = Response(wav, mimetype="audio/wav")
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@blueprint.route("/new", methods=["GET", "POST"])
@takes(MOST_BODY)
@allow(Role.ADMIN)
def add() -> str | AnyResponse | tuple[str, int]:
    """Upload an announcement."""
    form = AnnouncementForm()
    if not form.is_submitted():
        return _page(form)
    if form.validate_on_submit():
        offer = services()
        name, title = form.name.data or "", form.title.data or ""
        one, wrong = sounds.add(offer.engine, name, title, _data(form), offer.now(), note)
        if one is not None:
            flash(gettext("%(title)s was added.", title=visible(one.title)), "good")
            return redirect(url_for("announcements.index"))
        _show(form, wrong)
    return _page(form), 422


@blueprint.route("/<name>", methods=["GET", "POST"])
@takes(MOST_BODY)
@allow(Role.ADMIN)
def edit(name: str) -> str | AnyResponse | tuple[str, int]:
    """Change an announcement's title, or put another sound in its place."""
    one = _known(name)
    form = ReplaceForm(data={"title": one.title})
    if not form.is_submitted():
        return _page(form, one)
    if not form.validate_on_submit():
        return _page(form, one), 422
    offer = services()
    title = form.title.data or ""
    saved, wrong = sounds.amend(offer.engine, name, title, _data(form) or None, offer.now(), note)
    if wrong:
        _show(form, wrong)
        return _page(form, one), 422
    if saved is None:
        abort(404)
    flash(gettext("Saved."), "good")
    return redirect(url_for("announcements.index"))


@blueprint.route("/<name>/delete", methods=["GET", "POST"])
@allow(Role.ADMIN)
def delete(name: str) -> str | AnyResponse:
    """Ask whether an announcement is to go, unless something plays it, and delete it."""
    one = _known(name)
    with reading(services().engine) as session:
        setup = load_setup(session)
    places = places_of(setup, name)
    if request.method == "POST":
        try:
            sounds.remove(services().engine, name, note)
        except InUseError as error:
            places = error.places
        else:
            flash(gettext("%(title)s was deleted.", title=visible(one.title)), "good")
            return redirect(url_for("announcements.index"))
    return render_template(
        "announcements/delete.html", one=one, places=places, place_words=place_words
    )


def _known(name: str) -> Announcement:
    with reading(services().engine) as session:
        one = get_announcement(session, name)
    if one is None:
        abort(404)
    return one


def _page(form: AnnouncementForm, one: Announcement | None = None) -> str:
    return render_template("announcements/edit.html", form=form, one=one, megabytes=MEGABYTES)


def _data(form: AnnouncementForm) -> bytes:
    return form.file.data.read() if form.file.data else b""


def _show(form: AnnouncementForm, wrong: Iterable[Objected]) -> None:
    for one in wrong:
        form[one.field].errors = [sound_words(one.why)]
