"""The API's own description: made from the schemas, served as JSON and as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, render_template
from flask_smorest import Api
from flask_wtf.csrf import CSRFProtect

from telephony import __version__
from web.api import (
    announcements,
    blocklist,
    calendars,
    callbackrequests,
    callbackrules,
    calls,
    cases,
    changes,
    clientfiles,
    clients,
    duty,
    events,
    explain,
    figures,
    people,
    setup,
    stopping,
    switches,
)
from web.api.base import FORM, JSON, LIMITS, SECURITY, blueprint
from web.limits import Limits
from web.rights import public

__all__ = [
    "announcements",
    "blocklist",
    "calendars",
    "callbackrequests",
    "callbackrules",
    "calls",
    "cases",
    "changes",
    "clientfiles",
    "clients",
    "duty",
    "events",
    "explain",
    "figures",
    "people",
    "register",
    "setup",
    "stopping",
    "switches",
]

PER_MINUTE = 600

pages = Blueprint("api_document", __name__, url_prefix="/api/v1")

_ABOUT = """\
Reads what Dutyline knows: calls with the reasons of every decision, clients, operators, live calls
and the stream of events; changes clients, the block list, the set-up, calendars and announcements,
by the panel's own rules; asks the PBX for pauses and for “closed now”; says who would get a call;
tells of missed calls and orders callbacks.

Send a token with each request: `Authorization: Bearer dl_…`. An administrator makes tokens in the
panel, each with the scopes it needs. A token may ask 600 times a minute in each process of the
panel; beyond that the answer is 429 with Retry-After.

Lists are `{"items": […], "total": N}`; errors are problem documents (RFC 9457). Times have an
offset; durations are in milliseconds. Words come in the language of the header Accept-Language,
en or ru.
"""


class _Api(Api):  # type: ignore[misc]
    """Leaves errors to web.errors, which knows the API's paths."""

    def _register_error_handlers(self) -> None:
        pass


def register(app: Flask, csrf: CSRFProtect, *, per_minute: int = PER_MINUTE) -> None:
    """Add the API to the application; `per_minute` limits the requests of each token."""
    app.config.update(
        API_TITLE="Dutyline",
        API_VERSION=f"v1 ({__version__})",
        OPENAPI_VERSION="3.0.3",
    )
    app.extensions[LIMITS] = Limits(per_minute)
    api = _Api(app, spec_kwargs={"info": {"description": _ABOUT}})
    api.spec.components.security_scheme(
        SECURITY, {"type": "http", "scheme": "bearer", "description": "A token from the panel"}
    )
    csrf.exempt(blueprint)
    api.register_blueprint(blueprint)
    app.register_blueprint(pages)


def document() -> dict[str, Any]:
    """Return the OpenAPI document of the application that handles this request."""
    api = current_app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    found: dict[str, Any] = api.spec.to_dict()
    return found


@pages.get("/openapi.json")
@public
def openapi() -> Response:
    """Give the OpenAPI document."""
    return jsonify(document())


@pages.get("/")
@public
def reference() -> str:
    """Show the document to people."""
    found = document()
    return render_template(
        "api/reference.html",
        about=found["info"]["description"].strip().split("\n\n"),
        operations=list(_operations(found)),
        schemas=found["components"]["schemas"],
    )


def _operations(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path, methods in found["paths"].items():
        shared = methods.get("parameters", ())
        for method, one in methods.items():
            if method == "parameters":
                continue
            yield {
                "method": method.upper(),
                "path": path,
                "tag": one["tags"][0],
                "summary": one.get("summary", ""),
                "description": one.get("description", ""),
                "scope": one["security"][0][SECURITY][0],
                "parameters": [*shared, *one.get("parameters", ())],
                "body": _shape(one.get("requestBody", {})),
                "answer": _shape(next(iter(one["responses"].values()))),
            }


def _shape(part: Mapping[str, Any]) -> str:
    """Return the name of the schema of a body or an answer; empty when it has none."""
    content = part.get("content", {})
    media = content.get(JSON) or content.get(FORM) or {}
    return str(media.get("schema", {}).get("$ref", "")).rpartition("/")[2]
