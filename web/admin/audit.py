"""The audit log: who changed what, when, from where."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from telephony.accounts import Role
from telephony.configfile import Difference
from telephony.store.audit import AuditEntry, list_audit
from telephony.store.engine import reading
from web.edits import change_words, difference_words
from web.pages import PER_PAGE, Paging, page_number
from web.rights import allow
from web.services import services
from web.words import ACTIONS, action_words, detail_words

blueprint = Blueprint("audit", __name__, url_prefix="/audit")


@blueprint.get("")
@allow(Role.ADMIN)
def index() -> str:
    """List the log, newest first."""
    actor = request.args.get("actor", "")[:100].strip()
    action = request.args.get("action", "")
    number = page_number()
    with reading(services().engine) as session:
        entries, total = list_audit(
            session,
            limit=PER_PAGE,
            offset=(number - 1) * PER_PAGE,
            actor=actor.casefold(),
            action=action,
        )
    return render_template(
        "admin/audit.html",
        entries=entries,
        actor=actor,
        action=action,
        actions=ACTIONS,
        action_words=action_words,
        target_words=_target_words,
        about=_about,
        paging=Paging(number, PER_PAGE, total),
    )


def _target_words(entry: AuditEntry) -> str:
    """Return whom or what a line of the log is about."""
    difference = _difference(entry)
    return entry.target if difference is None else difference_words(difference)


def _about(entry: AuditEntry) -> list[str]:
    """Return what a line of the log says besides."""
    difference = _difference(entry)
    return detail_words(entry.details) if difference is None else change_words(difference)


def _difference(entry: AuditEntry) -> Difference | None:
    return Difference.from_json(entry.details) if entry.action.startswith("setup.") else None
