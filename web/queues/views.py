"""The pages of the groups' queues."""

from __future__ import annotations

import re

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from telephony.accounts import Role
from telephony.configfile import Change, ConfigError, ConflictError, Data, Entry, find
from telephony.domain.queueing import QUEUE_NAME, QueueSettings
from telephony.store.directory import current_version
from telephony.store.engine import reading
from telephony.store.live import list_live_calls, list_operator_states
from telephony.store.setup import load_setup
from web.duty import everybody, listening
from web.edits import edit_setup, error_words, saved, seen_version
from web.queues.forms import QueueForm, queue_entry, queue_form, strategies
from web.queues.now import queues_now
from web.rights import allow
from web.services import services
from web.texts import gettext

blueprint = Blueprint("queues", __name__, url_prefix="/queues")

_FIELD = re.compile(r"groups\[[0-9]+\]\.queue\.([a-z_]+)")


@blueprint.get("")
@allow(Role.ADMIN, Role.SUPERVISOR)
def index() -> str:
    """List the groups with their queues, and what goes on in these."""
    now = services().now()
    with reading(services().engine) as session:
        setup = load_setup(session)
        people = everybody(setup, list_operator_states(session), now)
        live = listening(session, now)
        queues = queues_now(setup, list_live_calls(session), people, now)
    return render_template(
        "queues/index.html",
        queues=queues,
        live=live,
        groups=sorted(setup.groups.values(), key=lambda group: group.name),
        strategies=dict(strategies()),
    )


@blueprint.route("/<path:group>", methods=["GET", "POST"])
@allow(Role.ADMIN)
def edit(group: str) -> str | Response | tuple[str, int]:
    """Give a group a queue, or change the one it has."""
    with reading(services().engine) as session:
        known = load_setup(session).groups.get(group)
        version = current_version(session).setup_version
    if known is None:
        abort(404)
    form = queue_form(known.queue or QueueSettings(_usual_name(group)), version)
    status = 200
    if form.is_submitted():
        if not form.csrf_token.validate(form):
            abort(400)
        entry = queue_entry(form)
        done = _put(group, entry, form.seen.data or "")
        if done is not None and not done.errors:
            saved(done, gettext("Saved. Now bring it to the PBX: dutyline pbx-config."))
            return redirect(url_for("queues.index"))
        status = 422
        _show(form, done.errors if done else [])
    page = render_template("queues/edit.html", form=form, group=known)
    return page if status == 200 else (page, status)


@blueprint.post("/<path:group>/remove")
@allow(Role.ADMIN)
def remove(group: str) -> Response:
    """Take a group's queue away."""

    def without(data: Data) -> None:
        find(data, "groups", group).pop("queue", None)

    try:
        done = edit_setup(without)
    except LookupError:
        abort(404)
    saved(done, gettext("The queue was removed. Now tell the PBX: dutyline pbx-config."))
    return redirect(url_for("queues.index"))


def _put(group: str, entry: Entry, seen: str) -> Change | None:
    """Change the set-up; None when somebody else did meanwhile."""

    def put(data: Data) -> None:
        find(data, "groups", group)["queue"] = entry

    try:
        return edit_setup(put, expected=seen_version(seen) if seen else None)
    except ConflictError:
        flash(gettext("Somebody changed the set-up meanwhile: look at it again."), "warn")
    except LookupError:
        abort(404)
    return None


def _show(form: QueueForm, errors: list[ConfigError]) -> None:
    """Put each error beside its field, or above all of them."""
    for error in errors:
        place = _FIELD.fullmatch(error.path)
        if place is not None and place[1] in form:
            form[place[1]].errors = [*form[place[1]].errors, error_words(error)]
        else:
            flash(f"{error.path}: {error_words(error)}", "bad")


def _usual_name(group: str) -> str:
    """Return a name that Asterisk takes, made of the group's."""
    name = re.sub(r"[^a-z0-9]+", "-", group.lower()).strip("-")[:40]
    return name if QUEUE_NAME.fullmatch(name) else ""
