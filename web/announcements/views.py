"""The pages of announcements: sounds that are uploaded and that rules name."""

from __future__ import annotations

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from telephony.accounts import Role
from telephony.domain.announcements import places_of
from telephony.sounds import BIGGEST_BYTES, LONGEST_SECONDS, InUseError, SoundError, drop, keep
from telephony.store.announcements import (
    Announcement,
    get_announcement,
    get_wav,
    list_announcements,
    retitle,
)
from telephony.store.engine import reading, writing
from telephony.store.setup import load_setup
from web.announcements.forms import AnnouncementForm, ReplaceForm
from web.cleaning import visible
from web.notes import note
from web.rights import allow
from web.security import takes
from web.services import services
from web.texts import gettext

blueprint = Blueprint("announcements", __name__, url_prefix="/announcements")

_MOST_BODY = BIGGEST_BYTES + 100_000
_MEGABYTES = BIGGEST_BYTES // 1_000_000


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
        place_words=place_words(),
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
@takes(_MOST_BODY)
@allow(Role.ADMIN)
def add() -> str | AnyResponse | tuple[str, int]:
    """Upload an announcement."""
    form = AnnouncementForm()
    if not form.is_submitted():
        return _page(form)
    valid = form.validate_on_submit()
    data = form.file.data.read() if form.file.data else b""
    if not data:
        form.file.errors = [gettext("Choose a file.")]
        return _page(form), 422
    with writing(services().engine) as session:
        if valid and get_announcement(session, form.name.data) is not None:
            form.name.errors = [gettext("There is one of this name.")]
        elif valid:
            try:
                one = keep(session, form.name.data, form.title.data, data, services().now())
            except SoundError as error:
                form.file.errors = [_why(error)]
            else:
                note(session, "announcement.added", one.name, title=one.title, seconds=one.seconds)
                flash(gettext("%(title)s was added.", title=visible(one.title)), "good")
                return redirect(url_for("announcements.index"))
    return _page(form), 422


@blueprint.route("/<name>", methods=["GET", "POST"])
@takes(_MOST_BODY)
@allow(Role.ADMIN)
def edit(name: str) -> str | AnyResponse | tuple[str, int]:
    """Change an announcement's title, or put another sound in its place."""
    one = _known(name)
    form = ReplaceForm(data={"title": one.title})
    if not form.is_submitted():
        return _page(form, one)
    if not form.validate_on_submit():
        return _page(form, one), 422
    data = form.file.data.read() if form.file.data else b""
    with writing(services().engine) as session:
        try:
            if data:
                new = keep(session, name, form.title.data, data, services().now())
                note(session, "announcement.replaced", name, title=new.title, seconds=new.seconds)
            elif form.title.data != one.title:
                retitle(session, name, form.title.data)
                note(session, "announcement.renamed", name, was=one.title, title=form.title.data)
        except SoundError as error:
            form.file.errors = [_why(error)]
            return _page(form, one), 422
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
        with writing(services().engine) as session:
            try:
                if drop(session, load_setup(session), name):
                    note(session, "announcement.removed", name, title=one.title)
            except InUseError as error:
                places = error.places
            else:
                flash(gettext("%(title)s was deleted.", title=visible(one.title)), "good")
                return redirect(url_for("announcements.index"))
    return render_template(
        "announcements/delete.html", one=one, places=places, place_words=place_words()
    )


def place_words() -> dict[str, str]:
    """Return what plays an announcement in words, by the codes of `places_of`."""
    return {
        "greeting": gettext("greeting"),
        "menu": gettext("menu"),
        "closed": gettext("out of hours"),
        "unanswered": gettext("nobody answered"),
    }


def _known(name: str) -> Announcement:
    with reading(services().engine) as session:
        one = get_announcement(session, name)
    if one is None:
        abort(404)
    return one


def _page(form: AnnouncementForm, one: Announcement | None = None) -> str:
    return render_template("announcements/edit.html", form=form, one=one, megabytes=_MEGABYTES)


def _why(error: SoundError) -> str:
    return {
        "big": gettext("The file is larger than %(megabytes)s MB.", megabytes=_MEGABYTES),
        "long": gettext("It lasts longer than %(minutes)s minutes.", minutes=LONGEST_SECONDS // 60),
        "empty": gettext("There is no sound in it."),
    }.get(error.code, gettext("This is no sound file that can be read: WAV, MP3, FLAC or Ogg."))
