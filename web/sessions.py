"""Who is signed in: the cookie holds a session's token, the database what it stands for."""

from __future__ import annotations

from flask import Flask, g, request, session

from telephony.accounts.signin import Visitor, whose
from web.services import services

_FOR_NOBODY = ("probes", "widget")
RENEWAL = "X-Renewal"  # see the macro `renewing`
_TOKEN = "token"  # noqa: S105 - a name
_LONGEST_ZONE = 60


def set_up(app: Flask) -> None:
    """Find out before every request who is signed in."""
    app.before_request(_load)


def _load() -> None:
    # Neither static files nor what machines and other sites ask for needs to know: /healthz must
    # not need SQL.
    if request.endpoint in (None, "static") or request.blueprint in _FOR_NOBODY:
        return
    token = session.get(_TOKEN)
    if not isinstance(token, str):
        return
    offer = services()
    # A page that renews itself tells by this header that nobody need sit before it.
    found = whose(offer.engine, token, offer.now(), used=RENEWAL not in request.headers)
    if found is None:
        return
    user, row = found
    if row.full:
        g.user, g.session_row = user, row
    else:
        g.half_signed_in = user


def begin(token: str) -> None:
    """Give the browser a fresh cookie for this session: nothing of the old one is kept."""
    session.clear()
    session[_TOKEN] = token


def end() -> None:
    """Forget the cookie's session."""
    session.clear()


def current_token() -> str | None:
    """Return the token in the cookie."""
    token = session.get(_TOKEN)
    return token if isinstance(token, str) else None


def visitor(zone: str | None = None) -> Visitor:
    """Return from where this request comes; `zone` is the browser's, if it told."""
    return Visitor(
        address=request.remote_addr or "",
        browser=request.user_agent.string,
        zone=(zone or "")[:_LONGEST_ZONE] or None,
    )
