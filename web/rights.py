"""Who may open what. Every view declares it with one of `allow`, `needs` and `public`; a view that
declares nothing is closed to everybody.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

from flask import abort, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response

from telephony.accounts import ApiToken, Role, Scope, SessionRow, User, find_token
from telephony.accounts.tokens import use_is_due
from telephony.store.engine import reading, writing
from telephony.store.sessions import touch_token
from web.services import services

P = ParamSpec("P")
R = TypeVar("R")

ALL = tuple(Role)

_ATTRIBUTE = "dutyline_access"

# What may be opened before a password that somebody else handed out is changed.
_BEFORE_PASSWORD = frozenset({"profile.password", "profile.theme", "auth.sign_out"})


@dataclass(frozen=True, slots=True)
class Access:
    """What a view declares: the roles that may open it, the scope a token needs, or all may."""

    roles: frozenset[Role] = frozenset()
    scope: Scope | None = None
    public: bool = False


def allow(*roles: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let signed-in users of these roles open the view; all roles when none is named.

    Others who are signed in get 403, and visitors are sent to the sign-in page. Whoever has a
    password that was handed out is sent to change it.
    """
    allowed = frozenset(roles or ALL)

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            user = optional_user()
            if user is None:
                return cast(R, _to_sign_in())
            if user.password_handed and request.endpoint not in _BEFORE_PASSWORD:
                return cast(R, _go("profile.password"))
            if user.role not in allowed:
                abort(403)
            return view(*args, **kwargs)

        return _declare(guarded, Access(roles=allowed))

    return decorate


def needs(scope: Scope) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let requests with a bearer token of this scope in; others get 401 or 403.

    For the API: the token is then `g.token`, and no cookie is looked at.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            token = bearer_token()
            if token is None:
                abort(401)
            if scope not in token.scopes:
                abort(403)
            g.token = token
            return view(*args, **kwargs)

        return _declare(guarded, Access(scope=scope))

    return decorate


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Let everybody open the view."""

    @functools.wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        return view(*args, **kwargs)

    return _declare(guarded, Access(public=True))


def access_of(view: Callable[..., Any]) -> Access | None:
    """Return what a view declares; None when it declares nothing."""
    return getattr(view, _ATTRIBUTE, None)


def refuse_undeclared() -> None:
    """Answer 403 for a view without a declaration. Runs before every request."""
    if request.endpoint is None:
        return
    if access_of(current_app.view_functions[request.endpoint]) is None:
        abort(403)


def optional_user() -> User | None:
    """Return who is signed in, if somebody is."""
    return cast("User | None", g.get("user"))


def signed_in_user() -> User:
    """Return who is signed in; only for views that `allow` guards."""
    return cast(User, g.user)


def signed_in_session() -> SessionRow:
    """Return the session of who is signed in."""
    return cast(SessionRow, g.session_row)


def bearer_token() -> ApiToken | None:
    """Return the valid token of the Authorization header, and note that it was used."""
    presented = request.authorization
    if presented is None or presented.type != "bearer" or not presented.token:
        return None
    offer = services()
    now = offer.now()
    with reading(offer.engine) as session:
        token = find_token(session, presented.token, now)
    if token is not None and use_is_due(token, now):
        with writing(offer.engine) as session:
            touch_token(session, token.id, now)
    return token


def may_open(endpoint: str) -> bool:
    """Return whether who is signed in may open the view of an endpoint: for links and menus."""
    access = access_of(current_app.view_functions[endpoint])
    user = optional_user()
    if access is None:
        return False
    return access.public or (user is not None and user.role in access.roles)


def safe_next(target: str | None) -> str:
    """Return a path of this site to go on to; anything else becomes the start page."""
    start = url_for("home.index")
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return start
    if any(ord(letter) < 32 or letter == "\\" for letter in target):
        return start
    parts = urlsplit(target)
    return start if parts.scheme or parts.netloc else target


def _to_sign_in() -> Response:
    here = request.full_path.rstrip("?") if request.method == "GET" else None
    target = url_for("auth.sign_in", next=here if here and here != "/" else None)
    if request.headers.get("HX-Request"):
        # A fragment must not swap the sign-in form into a table.
        return Response(status=401, headers={"HX-Redirect": url_for("auth.sign_in")})
    return redirect(target)


def _go(endpoint: str) -> Response:
    """Send the browser to a page, also when it asked for a fragment only."""
    target = url_for(endpoint)
    if request.headers.get("HX-Request"):
        return Response(status=403, headers={"HX-Redirect": target})
    return redirect(target)


def _declare(view: Callable[P, R], access: Access) -> Callable[P, R]:
    setattr(view, _ATTRIBUTE, access)
    return view
