"""Figures of callbacks, as the panel counts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from telephony.accounts import Scope
from telephony.domain.callback.figures import CallbackFigures, figures_of
from telephony.domain.numbers import digits
from telephony.store.case_figures import Span, cases_told
from telephony.store.engine import reading
from telephony.zones import known_zones
from web.api import figureshapes
from web.api.base import reads, refuse
from web.cases.figures import MOST_DAYS
from web.services import services
from web.texts import gettext

_LONGEST = timedelta(days=MOST_DAYS)
_USUAL = timedelta(days=7)


@reads("/callback-figures", Scope.CALLBACKS_READ, figureshapes.FiguresOf, figureshapes.FiguresQuery)
def callback_figures(query: Mapping[str, Any]) -> dict[str, Any]:
    """Count what became of the cases that were opened in a span.

    Of at most 92 days.
    """
    now = services().now()
    until = query.get("until", now)
    since = query.get("since", until - _USUAL)
    if since >= until:
        refuse({"until": [gettext("The end must come after the beginning.")]}, "query")
    if until - since > _LONGEST:
        refuse({"until": [gettext("Ask for at most %(days)d days.", days=MOST_DAYS)]}, "query")
    if query["zone"] not in known_zones():
        refuse({"zone": [gettext("There is no such time zone.")]}, "query")
    did = query.get("did")
    span = Span(
        since=since,
        until=until,
        did=None if did is None else digits(did),
        group=query.get("group"),
        operator=query.get("operator"),
    )
    within = timedelta(minutes=query["within"])
    with reading(services().engine) as session:
        cases = cases_told(session, span)
        whole, parts = figures_of(cases, query["by"], ZoneInfo(query["zone"]), within, now)
    return {
        "since": since,
        "until": until,
        "by": query["by"],
        "total": _figures(whole),
        "items": [
            {"key": key or None, **_figures(parts[key])}
            for key in sorted(parts, key=lambda key: (not key, key or ""))
        ],
    }


def _figures(one: CallbackFigures) -> dict[str, Any]:
    return asdict(one) | {
        "to_call": one.to_call,
        "dialled": one.dialled,
        "median_seconds": one.median,
        "p90_seconds": one.p90,
        "tries": [{"ended": ended, "count": one.tries[ended]} for ended in sorted(one.tries)],
    }
