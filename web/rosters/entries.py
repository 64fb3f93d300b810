"""Adding, changing and removing the entries of rosters, and absences."""

from __future__ import annotations

import json
from datetime import datetime

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from telephony.configfile import ROSTER_KINDS, ConfigError, ConflictError, Data, Entry, as_data
from telephony.domain.duty.walltime import shown
from telephony.domain.setup import Setup
from telephony.store.directory import current_version
from telephony.store.engine import reading
from telephony.store.setup import load_setup
from web.dutywords import names_of
from web.edits import DAYS, edit_setup, error_words, saved, seen_version
from web.rights import allow
from web.rosters.area import (
    EDITORS,
    blueprint,
    choices_of,
    day_asked,
    group_of,
    today_of,
)
from web.rosters.forms import EntryForm, OverrideForm, RotationForm, boxes, form_for
from web.rosters.listing import TITLES, added_words, as_json, entries_of
from web.rosters.meanwhile import AddedError, added_since, edit_if
from web.rosters.week import from_text
from web.services import services
from web.texts import gettext

_TURNS = 4  # rows of a new rotation


class _GoneError(Exception):
    """The entry is not what it was when the form was made."""


@blueprint.route("/groups/<path:name>/<kind>/new", methods=["GET", "POST"])
@allow(*EDITORS)
def add(name: str, kind: str) -> str | Response | tuple[str, int]:
    """Add an entry to a group's roster."""
    return _add(name, _roster_kind(kind))


@blueprint.route("/groups/<path:name>/<kind>/<int:place>", methods=["GET", "POST"])
@allow(*EDITORS)
def edit(name: str, kind: str, place: int) -> str | Response | tuple[str, int]:
    """Change an entry of a group's roster."""
    return _edit(name, _roster_kind(kind), place)


@blueprint.post("/groups/<path:name>/<kind>/<int:place>/remove")
@allow(*EDITORS)
def remove(name: str, kind: str, place: int) -> Response:
    """Remove an entry of a group's roster."""
    return _remove(name, _roster_kind(kind), place)


@blueprint.route("/absences/new", methods=["GET", "POST"])
@allow(*EDITORS)
def add_absence() -> str | Response | tuple[str, int]:
    """Note when somebody is away."""
    return _add(None, "absences")


@blueprint.route("/absences/<int:place>", methods=["GET", "POST"])
@allow(*EDITORS)
def edit_absence(place: int) -> str | Response | tuple[str, int]:
    """Change when somebody is away."""
    return _edit(None, "absences", place)


@blueprint.post("/absences/<int:place>/remove")
@allow(*EDITORS)
def remove_absence(place: int) -> Response:
    """Remove an absence."""
    return _remove(None, "absences", place)


def _roster_kind(kind: str) -> str:
    if kind not in ROSTER_KINDS:
        abort(404)
    return kind


def _add(group: str | None, kind: str) -> str | Response | tuple[str, int]:
    setup = _setup()
    form = form_for(kind, choices_of(setup), _proposed(setup, group, kind))
    if not form.is_submitted():
        form.seen.data = str(_version())
    if "more" in request.form or not form.validate_on_submit():
        return _page(setup, form, group, kind, None)
    return _save(setup, form, group, kind, None)


def _edit(group: str | None, kind: str, place: int) -> str | Response | tuple[str, int]:
    setup = _setup()
    known = _entries(setup, group, kind)
    if place >= len(known) and request.method == "GET":
        abort(404)
    entry = known[place] if place < len(known) else {}
    zone = group_of(setup, group).roster.zone if group is not None else ""
    form = form_for(kind, choices_of(setup), {**entry, **_stretched(kind, zone)})
    if not form.is_submitted():
        form.was.data = as_json(entry)
    if "more" in request.form or not form.validate_on_submit():
        return _page(setup, form, group, kind, place)
    return _save(setup, form, group, kind, place)


def _remove(group: str | None, kind: str, place: int) -> Response:
    def edit(data: Data) -> None:
        found = entries_of(data, group, kind)
        found.pop(_found(found, _was(request.form.get("was", "")), place))

    try:
        done = edit_setup(edit)
    except (_GoneError, LookupError):
        flash(gettext("It was changed or removed meanwhile: look again."), "warn")
    except ConflictError:
        flash(gettext("Others are changing the set-up just now: try again."), "warn")
    else:
        if done.errors:
            flash(" ".join(map(error_words, done.errors)), "bad")
        else:
            saved(done, gettext("Removed."))
    return redirect(_back(group))


def _save(
    setup: Setup, form: EntryForm, group: str | None, kind: str, place: int | None
) -> str | Response | tuple[str, int]:
    entry = form.entry()
    where: list[str] = []

    def edit(data: Data) -> None:
        found = entries_of(data, group, kind)
        if place is None:
            found.append(entry)
            at = len(found) - 1
        else:
            at = _found(found, _was(form.was.data or ""), place)
            found[at] = entry
        where[:] = [_path(data, group, kind, at)]

    def as_seen(session: Session, now: Setup) -> None:
        if place is None:
            seen = seen_version(form.seen.data)
            added = added_since(session, now, seen, group, kind, entry)
            if added:
                raise AddedError(added)

    try:
        done = edit_if(as_seen, edit)
    except AddedError as error:
        # Whoever saves it again has read it.
        form.seen.data = str(_version())
        found = added_words(error.added, names_of(setup))
        words = gettext("Others added this for the same time. Is yours still right? Then save it.")
        page, _ = _page(setup, form, group, kind, place, [words, *found])
        return page, 409
    except (_GoneError, LookupError):
        gone = gettext(
            "This entry was changed or removed meanwhile. What you filled in is still here: look "
            "at the roster, and enter it anew if it is still right."
        )
        return _page(setup, form, group, kind, place, [gone])
    except ConflictError:
        busy = gettext("Others are changing the set-up just now: try again.")
        return _page(setup, form, group, kind, place, [busy])
    if done.errors:
        return _page(setup, form, group, kind, place, _placed(form, done.errors, where[0]))
    saved(done, gettext("Saved."))
    return redirect(_back(group, _week_of(entry)))


def _page(
    setup: Setup,
    form: EntryForm,
    group: str | None,
    kind: str,
    place: int | None,
    wrong: list[str] | None = None,
) -> tuple[str, int]:
    found = group_of(setup, group) if group is not None else None
    rows: list[list[str]] = []
    if isinstance(form, RotationForm):
        more = 4 if "more" in request.form else 1
        count = max(_TURNS, len(form.turns) + more)
        rows = [boxes(turn, 2) for turn in [*form.turns, *[[]] * count][:count]]
    page = render_template(
        "rosters/entry.html",
        form=form,
        kind=kind,
        group=found,
        place=place,
        wrong=wrong or [],
        title=TITLES[kind][1 if place is None else 2],
        turns=rows,
        people=boxes(form.operators, 3) if isinstance(form, OverrideForm) else [],
        choices=choices_of(setup),
        back=_back(group),
        week=request.values.get("week", ""),
    )
    asked_again = "more" in request.form
    return page, 422 if form.is_submitted() and not asked_again else 200


def _placed(form: EntryForm, errors: list[ConfigError], where: str) -> list[str]:
    """Put errors beside their fields; return those that have none."""
    left = []
    for error in errors:
        key = error.path.removeprefix(where).lstrip(".").partition("[")[0]
        field = form.place_of(key) if error.path.startswith(where) else None
        if field is not None:
            field.errors = [*field.errors, error_words(error)]
        elif error.path.startswith(where):
            left.append(error_words(error))
        else:
            left.append(f"{error.path}: {error_words(error)}")
    return left


def _path(data: Data, group: str | None, kind: str, place: int) -> str:
    """Return the path that errors of an entry begin with."""
    if group is None:
        return f"{kind}[{place}]"
    number = next(n for n, each in enumerate(data["groups"]) if each["name"] == group)
    return f"groups[{number}].{kind}[{place}]"


def _found(entries: list[Entry], was: Entry, place: int) -> int:
    """Return where an entry is now: others may have come or gone before it."""
    if place < len(entries) and entries[place] == was:
        return place
    if was in entries:
        return entries.index(was)
    raise _GoneError


def _was(text: str) -> Entry:
    try:
        found = json.loads(text)
    except ValueError:
        raise _GoneError from None
    return found if isinstance(found, dict) else {}


def _entries(setup: Setup, group: str | None, kind: str) -> list[Entry]:
    if group is not None:
        group_of(setup, group)
    return entries_of(as_data(setup), group, kind)


def _proposed(setup: Setup, group: str | None, kind: str) -> Entry:
    """Return what a new entry begins with: what was drawn on the grid, else the usual."""
    usual = setup.default_group or next(iter(setup.groups), "")
    found = setup.groups.get(usual) if group is None else group_of(setup, group)
    day = day_asked("day") or (today_of(found, services().now()) if found else None)
    today = day.isoformat() if day else ""
    who = request.args.get("operator", "")
    drawn = _drawn(found.roster.zone) if found else {}
    start, end = drawn.get("start", ""), drawn.get("end", "")
    if kind == "shifts":
        days = _weekday(start) if start else "mon-fri"
        times = {"start": start[11:] or "09:00", "end": end[11:] or "18:00"}
        return {"operator": who, "days": days, **times}
    if kind == "rotations":
        return {"turns": [who] if who else [], "first": today, "length": "7", "handover": "09:00"}
    span = {"start": start or f"{today} 09:00", "end": end or f"{today} 18:00"}
    if kind == "overrides":
        return {"operators": [who] if who else [], **span, "instead_of": "everybody"}
    if kind == "swaps":
        return {"between": [who, ""], **span}
    if kind == "absences":
        zone = found.roster.zone if found else ""
        return {"operator": who, "from": today, "to": today, "kind": "vacation", "zone": zone}
    return {"operator": who, **span}


def _drawn(zone: str) -> Entry:
    """Return the span that was drawn on the grid, by the group's clocks."""
    start, end = (from_text(request.args.get(key, "")) for key in ("start", "end"))
    if start is None or end is None or start >= end:
        return {}
    return {
        "start": f"{shown(start, zone):%Y-%m-%d %H:%M}",
        "end": f"{shown(end, zone):%Y-%m-%d %H:%M}",
    }


def _stretched(kind: str, zone: str) -> Entry:
    """Return the new edges of an entry whose bar was stretched."""
    if kind not in ("shifts", "one_offs", "overrides"):
        return {}
    drawn = _drawn(zone)
    return {key: text[11:] for key, text in drawn.items()} if kind == "shifts" else drawn


def _weekday(day: str) -> str:
    return DAYS[datetime.fromisoformat(day).weekday()]


def _week_of(entry: Entry) -> str | None:
    """Return the day to show after an entry was saved, None for the week that was looked at."""
    start = str(entry.get("start", ""))[:10]
    return start if len(start) == 10 else None


def _back(group: str | None, day: str | None = None) -> str:
    week = day or (found.isoformat() if (found := day_asked()) else None)
    if group is None:
        return url_for("rosters.absences")
    return url_for("rosters.show", name=group, week=week)


def _version() -> int:
    with reading(services().engine) as session:
        return current_version(session).setup_version


def _setup() -> Setup:
    with reading(services().engine) as session:
        return load_setup(session)
