"""One slot of a roster: somebody else takes it, two swap, or nobody does it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import abort, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from telephony.configfile import ConflictError, Data, Entry
from telephony.domain.duty import Duty, Interval, Presence, resolve
from telephony.domain.duty.slots import common
from telephony.domain.duty.timeline import presence
from telephony.domain.duty.walltime import reached, shown
from telephony.domain.setup import Group, Setup
from telephony.store.engine import reading
from telephony.store.setup import load_setup
from web.dutywords import names_of
from web.edits import error_words, saved
from web.rights import allow
from web.rosters.area import EDITORS, blueprint, choices_of, group_of
from web.rosters.listing import entries_of
from web.rosters.meanwhile import Claim, LostError, check, edit_if, on_duty, there
from web.rosters.week import Stretch, from_text, monday, stretches, utc_text
from web.services import services
from web.texts import gettext

_AHEAD = timedelta(days=15)
_LONGEST = timedelta(days=62)
_SWAPS = 30
_FORM = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could take a slot: `free`, `busy` (on duty here or elsewhere) or `away`."""

    operator: str
    state: str
    regular: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """The slot of an address: whose it is (None for a gap), and when, local and naive."""

    operator: str | None
    start: datetime
    end: datetime


@blueprint.get("/groups/<path:name>/slot")
@allow(*EDITORS)
def slot(name: str) -> str:
    """Offer who could take a slot, and whom to swap it with."""
    start, end = (from_text(request.args.get(key, "")) for key in ("start", "end"))
    setup = _setup()
    group = group_of(setup, name)
    zone = group.roster.zone
    who = request.args.get("operator") or None
    if start is None or end is None or not start < end <= start + _LONGEST:
        # The address of the page alone: what is going on now.
        start = services().now().replace(second=0, microsecond=0)
        end = start + timedelta(hours=1)
        who = None
    asked = Asked(who, shown(start, zone), shown(end, zone))
    lost = None
    if who is not None:
        try:
            check(group, Claim(Interval(start, end), who))
        except LostError as error:
            lost = error.claim
    return _page(setup, group, asked, asked, lost=lost)


@blueprint.post("/groups/<path:name>/slot")
@allow(*EDITORS)
def take(name: str) -> Response | tuple[str, int]:
    """Put somebody else into a slot, swap it, or leave it empty."""
    setup = _setup()
    group = group_of(setup, name)
    who = request.form.get("operator") or None
    start, end = (_local(request.form.get(key, "")) for key in ("start", "end"))
    if start is None or end is None:
        abort(422)
    asked = Asked(who, start, end)
    seen = _seen(asked)
    names = names_of(setup)
    taker, swap = request.form.get("take"), request.form.get("swap")
    claims = [(who, seen.start, seen.end)]
    if swap is not None and who is not None:
        other, *span = swap.split("|")
        first, last = (_local(text) for text in (*span, "", "")[:2])
        if first and last:
            claims.append((other, first, last))
        kind, added = "swaps", list(_swaps(who, other, asked, span))
        words = gettext(
            "%(one)s and %(other)s swap.", one=names.get(who, who), other=names.get(other, other)
        )
    elif taker is not None or "nobody" in request.form:
        kind, added = "overrides", [_override(asked, taker)]
        words = (
            gettext("%(who)s takes it.", who=names.get(taker, taker))
            if taker
            else gettext("Nobody is on duty there now.")
        )
    else:
        abort(422)
    those = frozenset(request.form.get("there", "").split())

    def as_seen(_: Session, now: Setup) -> None:
        found = group_of(now, name)
        for operator, *span in claims:
            when = Interval(*(reached(each, found.roster.zone) for each in span))
            if when.start < when.end and (operator is None or operator in now.operators):
                check(found, Claim(when, operator, those))

    def edit(data: Data) -> None:
        entries_of(data, name, kind).extend(added)

    try:
        done = edit_if(as_seen, edit)
    except LostError as error:
        setup = _setup()
        return _page(setup, group_of(setup, name), asked, seen, lost=error.claim), 409
    except ConflictError:
        busy = gettext("Others are changing the set-up just now: try again.")
        return _page(setup, group, asked, seen, [busy]), 409
    except LookupError:
        abort(404)
    if done.errors:
        return _page(setup, group, asked, seen, list(map(error_words, done.errors))), 422
    saved(done, words)
    return redirect(url_for("rosters.show", name=name, week=monday(start.date()).isoformat()))


def _seen(asked: Asked) -> Asked:
    """Return the time that the page was made for; whose duty it was then, no more than is asked.

    What a longer time takes besides, its reader never saw.
    """
    first, last = (_local(request.form.get(key, "")) for key in ("seen_start", "seen_end"))
    start, end = first or asked.start, last or asked.end
    if asked.operator is not None:
        start, end = max(start, asked.start), min(end, asked.end)
    return Asked(asked.operator, start, end) if start < end else asked


def _setup() -> Setup:
    with reading(services().engine) as session:
        return load_setup(session)


def _override(asked: Asked, taker: str | None) -> Entry:
    return {
        "operators": [taker] if taker else [],
        "start": _said(asked.start),
        "end": _said(asked.end),
        "instead_of": [asked.operator] if asked.operator else "nobody",
    }


def _swaps(one: str, other: str, asked: Asked, span: list[str]) -> Iterator[Entry]:
    """Yield the swap of a slot and, when the other's is at another time, the one of that."""
    yield {"between": [one, other], "start": _said(asked.start), "end": _said(asked.end)}
    start, end = (_local(text) for text in (*span, "", "")[:2])
    if start and end and (start, end) != (asked.start, asked.end):
        yield {"between": [one, other], "start": _said(start), "end": _said(end)}


def _page(
    setup: Setup,
    group: Group,
    asked: Asked,
    seen: Asked,
    wrong: list[str] | None = None,
    *,
    lost: Claim | None = None,
) -> str:
    """Return the page; `lost` is what does not hold any more of what somebody saw."""
    zone = group.roster.zone
    when, looked_at = (
        Interval(reached(each.start, zone), reached(each.end, zone)) for each in (asked, seen)
    )
    right = when.start < when.end
    offered = candidates(setup, group, asked.operator, when) if right else []
    regulars = [each for each in offered if each.regular]
    source = _source(group, asked.operator, when)
    return render_template(
        "rosters/slot.html",
        group=group,
        asked=asked,
        seen=seen,
        start=asked.start.strftime(_FORM),
        end=asked.end.strftime(_FORM),
        there=" ".join(sorted(there(group, looked_at))) if looked_at.start < looked_at.end else "",
        candidates=regulars or offered[:_SWAPS],
        others=[each for each in offered if not each.regular] if regulars else offered[_SWAPS:],
        exchanges=exchanges(group, asked.operator, when, services().now())
        if asked.operator
        else [],
        source=source,
        names=names_of(setup),
        choices=choices_of(setup),
        wrong=wrong or [],
        lost=lost,
        standing=on_duty(group, lost.when) if lost else [],
        week=monday(asked.start.date()),
        form_time=_FORM,
        shown=shown,
        utc_text=utc_text,
    )


def candidates(setup: Setup, group: Group, whose: str | None, when: Interval) -> list[Candidate]:
    """Return everybody else: those of the roster first, of them those who are free at the time."""
    busy: set[str] = set()
    for each in setup.groups.values():
        if each.roster.named:
            busy |= {one.operator for one in resolve(each.roster, *when).slots}
    found = []
    for who in setup.operators:
        if who == whose:
            continue
        away = presence((), who, when.start, setup.absences_of.get(who, ())) is Presence.ABSENT
        state = "away" if away else "busy" if who in busy else "free"
        found.append(Candidate(who, state, who in group.roster.named))
    order = {"free": 0, "busy": 1, "away": 2}
    return sorted(found, key=lambda each: (not each.regular, order[each.state]))


def exchanges(group: Group, whose: str, when: Interval, now: datetime) -> list[Stretch]:
    """Return the slots of others, from now or the slot on, for which one could be given."""
    since = min(when.start, max(now, when.start - _AHEAD))
    duty: Duty = resolve(group.roster, since, max(when.end, now) + _AHEAD)
    others = [
        each
        for each in stretches(duty)
        if each.operator != whose and each.start > since and not common(each.interval, [when])
    ]
    return others[:_SWAPS]


def _source(group: Group, operator: str | None, when: Interval) -> tuple[str, int] | None:
    """Return the kind and place of the entry that makes a slot, for editing it."""
    if operator is None or when.start >= when.end:
        return None
    for each in resolve(group.roster, *when).slots:
        if each.operator == operator:
            kind = {
                "shift": "shifts",
                "rotation": "rotations",
                "one_off": "one_offs",
                "override": "overrides",
            }.get(each.source.layer.value)
            return (kind, each.source.place) if kind else None
    return None


def _local(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text[:16])
    except ValueError:
        return None
    return found if 1971 <= found.year <= 2199 else None


def _said(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
