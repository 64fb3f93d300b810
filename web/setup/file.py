"""The whole set-up as a YAML file: taken out, looked at, tried with a call, applied."""

from __future__ import annotations

from flask import Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from telephony.accounts import Role
from telephony.configfile import Change, ConfigError, ConflictError, put, write_config
from telephony.domain.setup import Setup
from telephony.store.engine import reading
from telephony.store.setup import load_setup
from web.cleaning import visible
from web.downloads import download
from web.duty import listening
from web.edits import author, change_words, difference_words, error_words, saved
from web.i18n import zone
from web.rights import allow
from web.security import takes
from web.services import services
from web.setup.area import blueprint
from web.setup.editing import TRIED
from web.setup.sections import SHOWN
from web.texts import gettext
from web.trying import call_form, tried_with, when_words

Page = str | AnyResponse | tuple[str, int]

MOST_BYTES = 2_000_000
# Both a file and a text may come, with the form around them.
_MOST_BODY = 2 * MOST_BYTES + 100_000
_SHOWN = 100


@blueprint.get("/export.yaml")
@allow(Role.ADMIN)
def export() -> Response:
    """Send the set-up as a file that can be brought back."""
    with reading(services().engine) as session:
        text = write_config(load_setup(session))
    return download(text, "dutyline", "application/yaml", "yaml")


@blueprint.route("/file", methods=["GET", "POST"])
@takes(_MOST_BODY)
@allow(Role.ADMIN)
def file() -> Page:
    """Look at a file and say what it would change; when that was seen, apply it."""
    if request.method == "GET":
        return _asking("")
    text = _sent()
    if text is None:
        return _asking("", gettext("The file is no text in UTF-8, or larger than 2 MB.")), 422
    if not text.strip():
        return _asking("", gettext("Choose a file, or paste its text.")), 422
    seen = request.form.get("version", "")
    apply = "apply" in request.form and seen.isascii() and seen.isdigit()
    conflict = False
    if apply:
        try:
            done = _put(text, expected=int(seen[:18]))
        except ConflictError:
            conflict = True
        else:
            if not done.errors:
                saved(done, gettext("The file was applied."))
                return redirect(url_for("setup.index"))
            return _page(text, None, done.errors), 422
    done = _put(text, dry_run=True)
    page = _page(text, done, done.errors, conflict=conflict)
    return page, 409 if conflict else 422 if done.errors else 200


def _put(text: str, *, expected: int | None = None, dry_run: bool = False) -> Change:
    offer, country = services(), services().settings.country
    return put(
        offer.engine,
        author(),
        text,
        now=offer.now(),
        country=country,
        expected=expected,
        dry_run=dry_run,
    )


def _sent() -> str | None:
    """Return the text that was sent, None when it is no text or too much of it."""
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        text = request.form.get("text", "")
        return text.replace("\r\n", "\n") if len(text.encode()) <= MOST_BYTES else None
    source = upload.stream.read(MOST_BYTES + 1)
    try:
        return source.decode("utf-8-sig") if len(source) <= MOST_BYTES else None
    except UnicodeDecodeError:
        return None


def _asking(text: str, error: str = "") -> str:
    return render_template("setup/file.html", sections=SHOWN.values(), text=text, error=error)


def _page(
    text: str, done: Change | None, errors: list[ConfigError], *, conflict: bool = False
) -> str:
    """Show a file with what is wrong in it, or what it would change."""
    now = services().now()
    right = done is not None and not errors
    lines = text.split("\n")
    with reading(services().engine) as session:
        setup = load_setup(session)
        call = call_form(setup, TRIED, meta={"csrf": False})
        after = done.after if right and done is not None and "try" in request.form else None
        asked = tried_with(session, call, setup, after, now, services().settings.country)
        live = listening(session, now)
    return render_template(
        "setup/file.html",
        sections=SHOWN.values(),
        text=text,
        error="",
        errors=[
            (one.line, one.path, _line(lines, one.line), visible(one.value), error_words(one))
            for one in errors[:_SHOWN]
        ],
        error_count=len(errors),
        done=done if right else None,
        conflict=conflict,
        difference_words=difference_words,
        change_words=change_words,
        call=call,
        tried=asked,
        when=when_words(asked) if asked else "",
        dids=_dids(setup, done),
        zone=zone(),
        live=live,
    )


def _line(lines: list[str], number: int) -> str:
    return visible(lines[number - 1])[:_SHOWN] if 0 < number <= len(lines) else ""


def _dids(setup: Setup, done: Change | None) -> list[object]:
    return list({**setup.dids, **(done.after.dids if done else {})}.values())
