"""Headers that tell the browser what a page may do."""

from __future__ import annotations

from flask import Flask, Response, abort, request

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


def set_up(app: Flask) -> None:
    """Add the headers to every answer, and refuse forms with what no database keeps."""

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
