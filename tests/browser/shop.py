"""A web site of somebody else's, with the callback button in its page."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# As strict as the button allows: no inline style, and the panel where it has to be.
_POLICY = "default-src 'none'; script-src {panel}; connect-src {panel}; img-src data:"
_PAGE = """<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>A shop</title></head>
<body><main><h1>A shop</h1><p>Tea and coffee.</p></main>
<script src="{panel}/widget/{key}.js" async></script></body></html>
"""


@contextmanager
def shop(panel: str, key: str, language: str = "en") -> Iterator[str]:
    """Serve a page with the button; give its origin, which is not the panel's."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = _PAGE.format(panel=panel, key=key, language=language).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", _POLICY.format(panel=panel))
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, name="shop", daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
