"""Headers that tell the browser what a page may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, abort, current_app, request

# The toolkit's own style sheet draws its check marks and arrows from data: images.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


_BODY = "dutyline_body"

V = TypeVar("V", bound=Callable[..., Any])


def takes(most: int) -> Callable[[V], V]:
    """Let a view take a body of up to `most` bytes, more than the panel's usual megabyte."""

    def decorate(view: V) -> V:
        setattr(view, _BODY, most)
        return view

    return decorate


def set_up(app: Flask) -> None:
    """Add the headers to every answer, and refuse forms with what no database keeps."""

    @app.before_request
    def allow_body() -> None:
        # Before anything looks at the form, which reads the body.
        view = current_app.view_functions.get(request.endpoint or "")
        most = getattr(view, _BODY, None)
        if most is not None:
            request.max_content_length = request.max_form_memory_size = most

    @app.before_request
    def refuse_nul() -> None:
        # PostgreSQL has no NUL in texts, and nobody types one.
        values = (value for _, found in request.form.lists() for value in found)
        if any("\x00" in value for value in values):
            abort(422)

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", POLICY)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("X-Frame-Options", "DENY")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        if app.config["SESSION_COOKIE_SECURE"]:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if request.endpoint != "static":
            # People's numbers are on the pages: they stay in no cache.
            headers.setdefault("Cache-Control", "no-store")
        return response
