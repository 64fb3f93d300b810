"""A web server on loopback that takes webhooks and gives documents, and answers as a test wants."""

import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from tests.lab.ports import free_port


@dataclass(frozen=True)
class Request:
    """One request, as it came, at `at` (seconds since the epoch)."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float


@dataclass(frozen=True)
class Reply:
    """What is answered: status, headers, body, after `delay` seconds."""

    status: int = 200
    headers: Mapping[str, str] | None = None
    body: bytes = b"ok"
    delay: float = 0.0


class Receiver:
    """Takes requests; usable as a context manager. `answer` says what each gets."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        """Choose a port; with a `context` it speaks TLS."""
        self.port = free_port()
        self.requests: list[Request] = []
        self.answer: Callable[[Request], Reply] = lambda _request: Reply()
        self._scheme = "https" if context else "http"
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.receiver = self
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        # It looks that often whether to stop: its usual half a second adds up over tests.
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        """Return an address of it."""
        return f"{self._scheme}://{host}:{self.port}{path}"

    def __enter__(self) -> Self:
        """Start it."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    receiver: Receiver
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that were killed."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """Keep the request and answer."""
        self.do_POST()

    def do_POST(self) -> None:
        """Keep the request and answer."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.path, headers, body, time.time())
        receiver = self.server.receiver
        receiver.requests.append(request)
        reply = receiver.answer(request)
        if reply.delay:
            time.sleep(reply.delay)
        self.send_response(reply.status)
        for name, value in (reply.headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, form: str, *arguments: object) -> None:
        """Log nothing."""
