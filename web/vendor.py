"""Static files under addresses that hold the hash of their content, so that they may be kept."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Flask, Response, abort, request, send_from_directory
from flask import url_for as flask_url_for

from web.rights import public

FOLDER = Path(__file__).parent / "static"

_YEAR = 31536000
_HASH_LENGTH = 12
_INTER = "5.3.0"  # its version, as in assets.toml and panel.css
_SERVED = {".css", ".js", ".svg", ".png", ".ico", ".txt", ".json", ".woff2"}


class StaticFiles:
    """The names of static files and the hashes of their content, read once."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._hashes: dict[str, str] = {}

    def version(self, name: str) -> str:
        """Return the hash of a file's content. FileNotFoundError when there is none."""
        if name not in self._hashes:
            content = (self._folder / name).read_bytes()
            self._hashes[name] = hashlib.sha256(content).hexdigest()[:_HASH_LENGTH]
        return self._hashes[name]


def set_up(app: Flask) -> None:
    """Serve web/static, and give templates `static(name)`."""
    files = StaticFiles()

    @public
    def static(filename: str) -> Response:
        if Path(filename).suffix not in _SERVED:
            abort(404)
        compressed = f"{filename}.gz"
        accepts = request.accept_encodings["gzip"] > 0
        if accepts and (FOLDER / compressed).is_file():
            response = send_from_directory(FOLDER, compressed)
            response.content_type = _type(filename)
            response.headers["Content-Encoding"] = "gzip"
        else:
            response = send_from_directory(FOLDER, filename)
            if filename.endswith(".woff2"):
                response.content_type = "font/woff2"
        response.headers["Vary"] = "Accept-Encoding"
        # A style sheet names a typeface by its version, which is in the file's name.
        if request.args.get("v") or filename.endswith(".woff2"):
            response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
        else:
            response.headers["Cache-Control"] = "no-cache"
        return response

    app.add_url_rule("/static/<path:filename>", "static", static)

    def address(name: str) -> str:
        return flask_url_for("static", filename=name, v=files.version(name))

    def typeface(script: str) -> str:
        # As the style sheet has it, or the browser would fetch it twice.
        return flask_url_for("static", filename=f"vendor/inter-{script}-{_INTER}.woff2")

    app.jinja_env.globals.update(static=address, typeface=typeface)


def _type(name: str) -> str:
    return {
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
    }.get(Path(name).suffix, "application/octet-stream")
