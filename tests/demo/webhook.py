"""The demo's own receiver of webhooks: another system that hears what happens to calls."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook


@dataclass(frozen=True)
class Heard:
    """One webhook whose signature was right: its type and data."""

    type: str
    data: dict[str, Any]


class Receiver:
    """An HTTP server on loopback that checks signatures and keeps what it hears."""

    def __init__(self) -> None:
        """Listen on a free port."""
        self.secret = ""
        self.heard: list[Heard] = []
        self.refused = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(receiver.take(body, dict(self.headers.items())))
                self.end_headers()

            def log_message(self, *_: object) -> None:  # the demo tells it itself
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The address to send to."""
        return f"http://127.0.0.1:{self.port}/hooks/dutyline"

    @property
    def port(self) -> int:
        """The TCP port."""
        return int(self._server.server_address[1])

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        """Check the signature and keep the message; return the HTTP status to answer with."""
        lower = {name.lower(): value for name, value in headers.items()}
        try:
            Webhook(self.secret).verify(body, lower)
        except Exception:  # whatever is wrong with it
            self.refused += 1
            return 401
        message = json.loads(body)
        self.heard.append(Heard(message["type"], message["data"]))
        return 204

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
