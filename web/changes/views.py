"""The changes of the set-up: a list, what taking one back would do, and taking it back."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from telephony.accounts import Role
from telephony.configfile import Change, ConflictError, Difference, NoRevisionError, undo
from telephony.store.engine import reading
from telephony.store.revisions import get_revision, list_revisions
from web.edits import author, change_words, difference_words, error_words, saved
from web.pages import PER_PAGE, Paging, page_number
from web.rights import allow, safe_next, signed_in_user
from web.services import services
from web.texts import gettext

blueprint = Blueprint("changes", __name__, url_prefix="/changes")

# What a supervisor may change, and so take back: fields of a group, and absences.
_ROSTER = frozenset({"shifts", "rotations", "one_offs", "overrides", "swaps"})
_AWAY = "absences of"


@blueprint.get("")
@allow(Role.ADMIN, Role.SUPERVISOR)
def index() -> str:
    """List the changes, newest first."""
    number = page_number()
    with reading(services().engine) as session:
        found, total = list_revisions(session, limit=PER_PAGE, offset=(number - 1) * PER_PAGE)
    return render_template(
        "changes/index.html",
        changes=[(each, list(map(Difference.from_json, each.differences))) for each in found],
        difference_words=difference_words,
        change_words=change_words,
        paging=Paging(number, PER_PAGE, total),
    )


@blueprint.get("/<int:version>")
@allow(Role.ADMIN, Role.SUPERVISOR)
def show(version: int) -> str:
    """Show a change, and what taking it back would do."""
    with reading(services().engine) as session:
        known = get_revision(session, version)
    if known is None:
        abort(404)
    would = _undo(version, None, dry_run=True)
    return render_template(
        "changes/show.html",
        change=known[0],
        made=list(map(Difference.from_json, known[0].differences)),
        would=would,
        may_undo=_may_undo(would),
        wrong=list(map(error_words, would.errors)),
        difference_words=difference_words,
        change_words=change_words,
    )


@blueprint.post("/<int:version>/undo")
@allow(Role.ADMIN, Role.SUPERVISOR)
def take_back(version: int) -> Response:
    """Put back the set-up of before a change, unless somebody changed it since it was looked at."""
    expected = request.form.get("expected", "")
    try:
        seen = int(expected[:19])
        if not _may_undo(_undo(version, seen, dry_run=True)):
            abort(403)
        done = _undo(version, seen, dry_run=False)
    except (ValueError, ConflictError):
        flash(gettext("The set-up was changed since: look what taking this back would do."), "warn")
        return redirect(url_for("changes.show", version=version))
    if done.errors:
        return redirect(url_for("changes.show", version=version))
    saved(done, gettext("Taken back."))
    return redirect(safe_next(request.form.get("next") or url_for("changes.index")))


def _undo(version: int, expected: int | None, *, dry_run: bool) -> Change:
    offer = services()
    try:
        return undo(
            offer.engine, author(), version, now=offer.now(), expected=expected, dry_run=dry_run
        )
    except NoRevisionError:
        abort(404)


def _may_undo(would: Change) -> bool:
    """Tell whether who is signed in may make the change that taking back is."""
    if signed_in_user().role is Role.ADMIN:
        return True
    return all(
        each.what == _AWAY
        or (
            each.what == "group"
            and each.action == "changed"
            and {field.name for field in each.fields} <= _ROSTER
        )
        for each in would.differences
    )
