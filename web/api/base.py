"""What every path of the API shares: the blueprint, how it is guarded and how it is documented."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar, cast

from flask import Request, Response, abort, current_app, g, request
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema
from webargs.flaskparser import FlaskParser
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import Conflict, HTTPException, TooManyRequests, UnprocessableEntity

from telephony.accounts import Scope
from telephony.words import LANGUAGES
from web.api.schemas import Empty, Problem
from web.limits import Limits
from web.problems import MEDIA_TYPE
from web.rights import needs

SECURITY = "token"
LIMITS = "dutyline.api_limits"
JSON, FORM = "application/json", "multipart/form-data"

_CODES = (401, 403, 405, 406, 413, 422, 429, 500, 503)

V = TypeVar("V", bound=Callable[..., Any])


class _Parser(FlaskParser):
    """Refuses parameters that it does not know: a misspelt filter must not return everything."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {  # noqa: RUF012
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": RAISE,
        "json": RAISE,
        "form": RAISE,
    }

    def load_form(self, req: Request, schema: Schema) -> Any:
        """Return the fields of a form together with its files."""
        return self._makeproxy(MultiDict([*req.form.items(True), *req.files.items(True)]), schema)

    def _raw_load_json(self, req: Request) -> Any:
        try:
            return super()._raw_load_json(req)
        except RecursionError:  # brackets in brackets in brackets
            abort(400)


class _Blueprint(Blueprint):  # type: ignore[misc]
    ARGUMENTS_PARSER = _Parser()


blueprint = _Blueprint("api", __name__, url_prefix="/api/v1", description="Version 1")


def reads(
    rule: str,
    scope: Scope,
    answer: type[Schema] | dict[str, str],
    query: type[Schema],
    *,
    one: bool = False,
    media: str = JSON,
) -> Callable[[V], V]:
    """Make a function the answer to GET `rule` for tokens of a scope, and document it.

    It is called with the query's parameters as a dict, then the path's. `one`: there may be no
    such thing, which is a 404. Another `media` type than JSON: it returns a response, and `answer`
    is only its type in the document.
    """
    codes = [*_CODES, *([404] if one else [])]

    def decorate(view: V) -> V:
        guarded: Callable[..., Any] = blueprint.response(200, answer, content_type=media)(view)
        guarded = blueprint.arguments(query, location="query")(guarded)
        _route(guarded, rule, "GET", scope, codes, media)
        return view

    return decorate


def writes(
    method: str,
    rule: str,
    scope: Scope,
    answer: type[Schema] | None,
    body: type[Schema] | None = None,
    *,
    query: type[Schema] = Empty,
    status: int = 200,
    one: bool = True,
    form: bool = False,
    raw: str = "",
) -> Callable[[V], V]:
    """Make a function the answer to a method that changes something, and document it.

    It is called with the query's parameters as a dict, the body's fields as another when there is
    a schema for them, then the path's. `answer` None: there is nothing to say (204). `one`: there
    may be no such thing (404), or somebody else changed it (409). `form`: the body is a form with
    files (multipart/form-data), not JSON. `raw`: the body is a file of this media type, for the
    function to read.
    """
    codes = [*_CODES, *([400] if body else []), *([404, 409] if one else [])]

    def decorate(view: V) -> V:
        guarded: Callable[..., Any] = blueprint.response(status, answer)(view)
        if body is not None:
            place, media = ("form", FORM) if form else ("json", JSON)
            guarded = blueprint.arguments(body, location=place, content_type=media)(guarded)
        if raw:
            content = {raw: {"schema": {"type": "string"}}}
            guarded = blueprint.doc(requestBody={"required": True, "content": content})(guarded)
        guarded = blueprint.arguments(query, location="query")(guarded)
        _route(guarded, rule, method, scope, codes)
        return view

    return decorate


def refuse(errors: Mapping[str, list[str]], place: str = "json") -> NoReturn:
    """Answer 422: the fields of a place that are wrong, each with why."""
    error = UnprocessableEntity()
    error.data = {"messages": {place: errors}}  # type: ignore[attr-defined]
    raise error


def conflict(detail: str, errors: list[dict[str, str]]) -> NoReturn:
    """Answer 409: what stands against it; each error with `in`, `name`, `code` and `detail`."""
    _say(Conflict(), detail, errors)


def refuse_file(detail: str, errors: list[dict[str, str]]) -> NoReturn:
    """Answer 422: what is wrong with a file, each error with its place in it."""
    _say(UnprocessableEntity(), detail, errors)


def _say(error: HTTPException, detail: str, errors: list[dict[str, str]]) -> NoReturn:
    error.data = {"detail": detail, "errors": errors}  # type: ignore[attr-defined]
    raise error


def _route(
    view: Callable[..., Any],
    rule: str,
    method: str,
    scope: Scope,
    codes: list[int],
    media: str = JSON,
) -> None:
    guarded = _polite(view, media)
    for code in codes:
        guarded = blueprint.alt_response(
            code,
            schema=Problem,
            content_type=MEDIA_TYPE,
            description=HTTPStatus(code).phrase,
            success=False,
        )(guarded)
    guarded = blueprint.doc(security=[{SECURITY: [scope.value]}])(guarded)
    tag = rule.strip("/").partition("/")[0].partition(".")[0]
    blueprint.route(rule, methods=[method], tags=[tag])(needs(scope)(guarded))


def language() -> str:
    """Return the language of words in this answer: the header Accept-Language chooses."""
    return request.accept_languages.best_match(LANGUAGES, "en") or "en"


def _polite(view: Callable[..., Any], media: str) -> Callable[..., Any]:
    """Hold a token to its rate, refuse who wants another media type, and name the language."""

    @functools.wraps(view)
    def limited(*args: Any, **kwargs: Any) -> Response:
        wait = cast(Limits, current_app.extensions[LIMITS]).wait(g.token.id)
        if wait is not None:
            raise TooManyRequests(retry_after=wait)
        accepted = request.accept_mimetypes
        if accepted and not accepted.best_match([media]):
            abort(406)
        response = cast(Response, view(*args, **kwargs))
        response.headers["Content-Language"] = language()
        response.vary.update(["Accept-Language", "Authorization"])
        return response

    return limited
