"""The API's own description: made from the schemas, served as JSON and as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any

import flask_smorest
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
    telling,
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
    "telling",
]

PER_MINUTE = 600

pages = Blueprint("api_document", __name__, url_prefix="/api/v1")

_ABOUT = """\
Reads what Dutyline knows: calls with the reasons of every decision, clients, operators, live calls
and the stream of events; changes clients, the block list, the set-up, calendars and announcements,
by the panel's own rules; asks the PBX for pauses and for “closed now”; says who would get a call;
tells of missed calls and orders callbacks; sets up notices and webhooks.

Send a token with each request: `Authorization: Bearer dl_…`. An administrator makes tokens in the
panel, each with the scopes it needs. A token may ask 600 times a minute in each process of the
panel; beyond that the answer is 429 with Retry-After.

Lists are `{"items": […], "total": N}`; errors are problem documents (RFC 9457). Times have an
offset; durations are in milliseconds. Words come in the language of the header Accept-Language,
en or ru.
"""


class _Api(Api):  # type: ignore[misc]
    """Leaves errors to web.errors, which knows the API's paths.

    The paths are described when the document is asked for: it takes longer than all else that an
    application does before its first request.
    """

    def __init__(self, app: Flask, blueprint: flask_smorest.Blueprint, **how: Any) -> None:
        super().__init__(app, **how)
        self._blueprint = blueprint
        self._found: dict[str, Any] | None = None
        self._one_at_a_time = Lock()
        app.extensions["flask-smorest"]["blp_name_to_api"][blueprint.name] = self
        app.register_blueprint(blueprint)

    def _register_error_handlers(self) -> None:
        pass

    def document(self) -> dict[str, Any]:
        with self._one_at_a_time:
            if self._found is None:
                name = self._blueprint.name
                self._blueprint.register_views_in_doc(
                    self, self._app, self.spec, name=name, parameters=None
                )
                self.spec.tag({"name": name, "description": self._blueprint.description})
                self._found = self.spec.to_dict()
            return self._found


def register(app: Flask, csrf: CSRFProtect, *, per_minute: int = PER_MINUTE) -> None:
    """Add the API to the application; `per_minute` limits the requests of each token."""
    app.config.update(
        API_TITLE="Dutyline",
        API_VERSION=f"v1 ({__version__})",
        OPENAPI_VERSION="3.0.3",
    )
    app.extensions[LIMITS] = Limits(per_minute)
    csrf.exempt(blueprint)
    api = _Api(app, blueprint, spec_kwargs={"info": {"description": _ABOUT}})
    api.spec.components.security_scheme(
        SECURITY, {"type": "http", "scheme": "bearer", "description": "A token from the panel"}
    )
    app.register_blueprint(pages)


def document() -> dict[str, Any]:
    """Return the OpenAPI document of the application that handles this request."""
    api: _Api = current_app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    return api.document()


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
