"""The page of the rules of callbacks."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from telephony.accounts import Role
from telephony.configfile import CALLBACKS, ConflictError, Data
from telephony.configfile.mistakes import Mistake, say_mistake
from telephony.domain.callback.rules import PRESETS, CallbackRules
from telephony.store.announcements import Announcement, list_announcements
from telephony.store.callback_rules import load_callback_rules
from telephony.store.directory import current_version
from telephony.store.engine import reading
from web.callbackrules.forms import (
    Greeting,
    RulesForm,
    blame,
    fill,
    greetings,
    rules_entry,
    rules_form,
    twice,
)
from web.edits import edit_setup, saved, seen_version
from web.i18n import current_language
from web.rights import allow
from web.services import services
from web.texts import gettext

blueprint = Blueprint("callbackrules", __name__, url_prefix="/callback-rules")


@blueprint.get("")
@allow(Role.ADMIN, Role.SUPERVISOR)
def index() -> str:
    """Show the rules: as a form, which only admins can change."""
    rules, sounds, version = _stored()
    return _page(rules_form(rules, version), greetings(rules), sounds)


@blueprint.post("")
@allow(Role.ADMIN)
def save() -> str | Response | tuple[str, int]:
    """Save the rules; with `fill` only put what is usual in a country into the form."""
    rules, sounds, version = _stored()
    form = rules_form(rules, version)
    if not form.csrf_token.validate(form):
        abort(400)
    rows = greetings(rules)
    preset = request.form.get("fill")
    if preset is not None:
        if preset not in PRESETS:
            abort(400)
        fill(form, preset)
        return _page(form, rows, sounds, filled=preset)
    wrong = twice(rows)
    for row in wrong:
        row.errors.append(say_mistake(Mistake.TWICE, {}, current_language()))
    rest = _put(form, rows, dry_run=bool(wrong))
    if rest is None and not wrong:
        return redirect(url_for("callbackrules.index"))
    return _page(form, rows, sounds, rest or [], failed=True), 422


def _put(form: RulesForm, rows: list[Greeting], *, dry_run: bool) -> list[str] | None:
    """Change the set-up; return what is wrong and has no place in the form, None when all is right.

    With `dry_run` only what is wrong is found.
    """
    entry = rules_entry(form, rows)

    def put(data: Data) -> None:
        data[CALLBACKS] = entry

    seen = form.seen.data
    try:
        done = edit_setup(put, expected=seen_version(seen) if seen else None, dry_run=dry_run)
    except ConflictError:
        flash(gettext("Somebody changed the set-up meanwhile: look at it again."), "warn")
        return []
    if done.errors:
        return blame(form, rows, done.errors)
    if not dry_run:
        saved(done, gettext("Saved."))
    return None


def _stored() -> tuple[CallbackRules, list[Announcement], int]:
    with reading(services().engine) as session:
        return (
            load_callback_rules(session),
            list_announcements(session),
            current_version(session).setup_version,
        )


def _page(
    form: RulesForm,
    rows: list[Greeting],
    sounds: list[Announcement],
    rest: list[str] | None = None,
    *,
    filled: str = "",
    failed: bool = False,
) -> str:
    return render_template(
        "callbackrules/index.html",
        form=form,
        rows=rows,
        sounds=sounds,
        rest=rest or [],
        filled=filled,
        failed=failed,
        country=services().settings.country,
    )
