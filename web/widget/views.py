"""What other web sites ask for: the button's script, a challenge, a call.

Nobody is signed in here and no cookie is looked at. What is asked must come from a page of the
site: browsers say so by the header Origin, and the proof of work makes others pay. A site that is
switched off is none at all.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from flask import Blueprint, Response, current_app, request

from telephony.accounts.signin import counted_as
from telephony.store.engine import reading
from telephony.store.sites import Site, get_site
from web.limits import Limits
from web.rights import public
from web.security import takes
from web.services import services
from web.widget.asking import Answer, ask
from web.widget.proof import challenge as new_challenge
from web.widget.script import script

MOST_BODY = 4096
PER_MINUTE = 60
LIMITS = "dutyline.widget_limits"

_KEY_LENGTH = 64
_SCRIPT_KEPT = 300  # seconds

blueprint = Blueprint("widget", __name__, url_prefix="/widget")


@blueprint.record_once
def _set_up(state: object) -> None:
    state.app.extensions[LIMITS] = Limits(PER_MINUTE)  # type: ignore[attr-defined]


@blueprint.get("/<key>.js")
@public
def button(key: str) -> Response:
    """Give the button's script."""
    site = _site(key)
    if site is None:
        return _say({"error": "unknown"}, 404)
    return served(script(site), _SCRIPT_KEPT)


@blueprint.route("/<key>/challenge", methods=["GET", "OPTIONS"])
@public
def challenge(key: str) -> Response:
    """Give a challenge for one request."""
    site = _site(key)
    if site is None:
        return _say({"error": "unknown"}, 404)
    refused = _refused(site, "GET")
    if refused is not None:
        return refused
    offer = services()
    return _say(new_challenge(offer.vault, site.key, offer.now()), 200, site)


@blueprint.route("/<key>/request", methods=["POST", "OPTIONS"])
@public
@takes(MOST_BODY)
def ask_for_call(key: str) -> Response:
    """Take a request to be called."""
    site = _site(key)
    if site is None:
        return _say({"error": "unknown"}, 404)
    refused = _refused(site, "POST")
    if refused is not None:
        return refused
    if request.mimetype != "application/json":
        return _say({"error": "malformed"}, 415, site)
    try:
        body = json.loads(request.get_data(cache=False).decode("utf-8"))
    except (ValueError, RecursionError):
        body = None
    answer = ask(site, body, address()) if isinstance(body, dict) else Answer("malformed", 400)
    response = _say(answer.body(), answer.status, site)
    if answer.wait:
        response.headers["Retry-After"] = str(answer.wait)
    return response


def served(text: str, seconds: int) -> Response:
    """Return a script that pages of any site may load."""
    response = Response(text, content_type="text/javascript; charset=utf-8")
    response.set_etag(sha256(text.encode()).hexdigest()[:32])
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.make_conditional(request)
    return response


def address() -> str:
    """Return what requests of this visitor are counted by: an address, or the /64 of one."""
    return counted_as(request.remote_addr or "")


def _site(key: str) -> Site | None:
    """Return a site that is switched on."""
    if len(key) > _KEY_LENGTH or "\x00" in key:
        return None
    with reading(services().engine) as session:
        site = get_site(session, key)
    return site if site is not None and site.enabled else None


def _refused(site: Site, method: str) -> Response | None:
    """Return the answer to a request that goes no further: a preflight, or one that may not."""
    if request.headers.get("Origin") not in site.origins:
        return _say({"error": "origin"}, 403)
    if request.method == "OPTIONS":
        response = _say(None, 204, site)
        response.headers["Access-Control-Allow-Methods"] = method
        response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        response.headers["Access-Control-Max-Age"] = "600"
        return response
    wait = current_app.extensions[LIMITS].wait(address())
    if wait is None:
        return None
    response = _say({"error": "too_many"}, 429, site)
    response.headers["Retry-After"] = str(wait)
    return response


def _say(body: dict[str, Any] | None, status: int, site: Site | None = None) -> Response:
    """Return an answer; with a site one that its page may read."""
    text = "" if body is None else json.dumps(body)
    response = Response(text, status, mimetype="application/json")
    response.vary.add("Origin")
    if site is not None:
        response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
    return response
