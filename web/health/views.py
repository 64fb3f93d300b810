"""The health page: each part in words, and what its figures are."""

from __future__ import annotations

from flask import Blueprint, render_template
from sqlalchemy.exc import SQLAlchemyError

from telephony.accounts import Role
from telephony.callbacks.alarms import Standing
from telephony.store.engine import reading, reason, shown
from web.health.reading import Found, look, look_at_callbacks
from web.health.state import look_at
from web.health.words import alarm_words, figure_words, part_words, problem_words
from web.rights import allow
from web.services import services
from web.wrong import fault_words

blueprint = Blueprint("health", __name__, url_prefix="/health")


@blueprint.get("")
@allow(Role.ADMIN, Role.SUPERVISOR)
def index() -> str:
    """Show how every part is; the page renews itself."""
    offer = services()
    now = offer.now()
    found: Found | None = None
    alarms: tuple[Standing, ...] = ()
    error = ""
    try:
        with reading(offer.engine) as session:
            found = look(session)
            alarms = look_at_callbacks(session, now).alarms
    except SQLAlchemyError as failed:
        error = reason(failed)
    parts = look_at(found.processes, now) if found else []
    return render_template(
        "health/index.html",
        found=found,
        error=error,
        database=shown(offer.engine.url) if offer.engine.dialect.name == "sqlite" else "PostgreSQL",
        parts=parts,
        failing=[feed for feed in found.calendars if feed.failing_since] if found else [],
        alarms=[(one, *alarm_words(one)) for one in alarms],
        fault_words=fault_words,
        behind=[part for part in parts if not part.ready],
        now=now,
        part_words=part_words,
        problem_words=problem_words,
        figure_words=figure_words,
    )
