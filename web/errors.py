"""Error pages: what happened, and what to do. The API and the probes answer in JSON themselves."""

from __future__ import annotations

import structlog
from flask import Flask, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, default_exceptions
from werkzeug.wrappers import Response

from telephony.store.engine import reason
from web.problems import for_api, problem
from web.texts import gettext

log = structlog.get_logger(__name__)


def set_up(app: Flask) -> None:
    """Answer errors with pages in the panel's look."""
    for code in default_exceptions:
        app.register_error_handler(code, _http)
    app.register_error_handler(CSRFError, _http)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(Exception, _unexpected)


def words(code: int) -> tuple[str, str]:
    """Return (what happened, what to do) for a status."""
    known = {
        400: (
            gettext("This form is out of date"),
            gettext("Go back, reload the page and send it again. Nothing was changed."),
        ),
        401: (gettext("Please sign in"), gettext("Your session is over. Sign in again.")),
        403: (
            gettext("This page is not for your role"),
            gettext("If you need it, ask an administrator to change your role."),
        ),
        404: (
            gettext("There is no such page"),
            gettext("It was removed, or the address has a typing error."),
        ),
        405: (gettext("That is not possible here"), gettext("Go back and use the buttons.")),
        413: (
            gettext("That is too much at once"),
            gettext("Send less: a form may have up to 1 MB."),
        ),
        429: (
            gettext("Too many wrong attempts"),
            gettext("Wait a little and try again."),
        ),
        500: (
            gettext("Something went wrong on our side"),
            gettext(
                "Nothing was changed. Try again; if it stays, tell your administrator the time."
            ),
        ),
        503: (
            gettext("The database does not answer"),
            gettext("Calls go on without it. Try again in a minute."),
        ),
    }
    return known.get(code, (gettext("That did not work"), gettext("Go back and try again.")))


def page(code: int, *, title: str = "", advice: str = "") -> tuple[str, int]:
    """Return an error page with its status."""
    usual = words(code)
    return (
        render_template(
            "error.html", code=code, title=title or usual[0], advice=advice or usual[1]
        ),
        code,
    )


def _http(error: HTTPException) -> Response | tuple[str, int] | HTTPException:
    code = error.code or 500
    if code < 400 or error.response is not None:
        return error
    if for_api():
        return problem(code, error)
    text, _ = page(code)
    response = Response(text, code, mimetype="text/html")
    for name, value in error.get_headers(request.environ):
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _database(error: OperationalError) -> Response | tuple[str, int]:
    log.error("panel.database_fails", error=reason(error))
    return _plain(503)


def _unexpected(error: Exception) -> Response | tuple[str, int]:
    log.exception("panel.failed", path=request.path, error=type(error).__name__)
    return _plain(500)


def _plain(code: int) -> Response | tuple[str, int]:
    """Return an error page that needs neither the database nor who is signed in."""
    if for_api():
        return problem(code)
    title, advice = words(code)
    return render_template("error_plain.html", code=code, title=title, advice=advice), code
