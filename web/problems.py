"""Errors of the API as problem documents (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from flask import request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

PREFIX = "/api/"
MEDIA_TYPE = "application/problem+json"

_DETAILS = {
    400: "The body cannot be read: send JSON.",
    401: "Send a valid API token: Authorization: Bearer dl_…",
    403: "The token lacks the scope that this needs.",
    404: "There is no such thing.",
    405: "This method is not possible here; see the header Allow.",
    406: "The header Accept refuses the media type of the answer.",
    409: "It was changed meanwhile: read it again, and send your change with its version.",
    422: "One or more parameters or fields are wrong; see errors.",
    429: "Too many requests with this token; see the header Retry-After.",
    500: "Something went wrong on our side; it is in the log.",
    503: "The database does not answer. Try again in a minute.",
}


def for_api() -> bool:
    """Tell whether this request is one of the API's."""
    return request.path.startswith(PREFIX)


def problem(code: int, error: HTTPException | None = None) -> Response:
    """Return the problem document for a status; `error` may bring details of the parameters."""
    data = getattr(error, "data", {}) if error else {}
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(code).phrase,
        "status": code,
        "detail": data.get("detail")
        or _DETAILS.get(code)
        or (error.description if error else None)
        or "",
    }
    if data.get("messages"):
        body["errors"] = list(_errors(data["messages"]))
    elif data.get("errors"):
        body["errors"] = [{k: _sound(v) for k, v in one.items()} for one in data["errors"]]
    response = Response(json.dumps(body, ensure_ascii=False), code, mimetype=MEDIA_TYPE)
    if error is not None:
        for name, value in error.get_headers(request.environ):
            if name not in ("Content-Type", "Content-Length"):
                response.headers[name] = value
    if code == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _sound(*texts: object) -> str:
    """Return texts of strangers without halves of characters, which nothing can encode."""
    return " ".join(map(str, texts)).encode("utf-8", "replace").decode("utf-8")


def _errors(messages: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield what is wrong with each parameter: `in` is where it stands: query, json, form."""
    for place, fields in messages.items():
        if not isinstance(fields, Mapping):
            yield {"in": str(place), "name": "", "detail": " ".join(map(str, fields))}
            continue
        for name, texts in fields.items():
            said = texts if isinstance(texts, list) else [texts]
            yield {"in": str(place), "name": _sound(name), "detail": _sound(*said)}
