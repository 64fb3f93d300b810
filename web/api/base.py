"""What every path of the API shares: the blueprint, how it is guarded and how it is documented."""

from __future__ import annotations

import functools
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar, cast

from flask import Response, abort, current_app, g, request
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import TooManyRequests

from telephony.accounts import Scope
from telephony.words import LANGUAGES
from web.api.schemas import Problem
from web.limits import Limits
from web.problems import MEDIA_TYPE
from web.rights import needs

SECURITY = "token"
LIMITS = "dutyline.api_limits"

V = TypeVar("V", bound=Callable[..., Any])


class _Parser(FlaskParser):
    """Refuses parameters that it does not know: a misspelt filter must not return everything."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {  # noqa: RUF012
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": RAISE,
    }


class _Blueprint(Blueprint):  # type: ignore[misc]
    ARGUMENTS_PARSER = _Parser()


blueprint = _Blueprint("api", __name__, url_prefix="/api/v1", description="Version 1")


def reads(
    rule: str, scope: Scope, answer: type[Schema], query: type[Schema], *, one: bool = False
) -> Callable[[V], V]:
    """Make a function the answer to GET `rule` for tokens of a scope, and document it.

    It is called with the query's parameters as a dict, then the path's. `one`: there may be no
    such thing, which is a 404.
    """
    codes = [401, 403, 405, 406, 413, 422, 429, 500, 503, *([404] if one else [])]

    def decorate(view: V) -> V:
        guarded: Callable[..., Any] = blueprint.response(200, answer)(view)
        guarded = blueprint.arguments(query, location="query")(guarded)
        guarded = _polite(guarded)
        for code in codes:
            guarded = blueprint.alt_response(
                code,
                schema=Problem,
                content_type=MEDIA_TYPE,
                description=HTTPStatus(code).phrase,
                success=False,
            )(guarded)
        guarded = blueprint.doc(security=[{SECURITY: [scope.value]}])(guarded)
        tag = rule.strip("/").partition("/")[0]
        blueprint.route(rule, methods=["GET"], tags=[tag])(needs(scope)(guarded))
        return view

    return decorate


def language() -> str:
    """Return the language of words in this answer: the header Accept-Language chooses."""
    return request.accept_languages.best_match(LANGUAGES, "en") or "en"


def _polite(view: Callable[..., Any]) -> Callable[..., Any]:
    """Hold a token to its rate, refuse who wants no JSON, and name the language."""

    @functools.wraps(view)
    def limited(*args: Any, **kwargs: Any) -> Response:
        wait = cast(Limits, current_app.extensions[LIMITS]).wait(g.token.id)
        if wait is not None:
            raise TooManyRequests(retry_after=wait)
        accepted = request.accept_mimetypes
        if accepted and not accepted.best_match(["application/json"]):
            abort(406)
        response = cast(Response, view(*args, **kwargs))
        response.headers["Content-Language"] = language()
        response.vary.update(["Accept-Language", "Authorization"])
        return response

    return limited
