"""Reverse proxies before the panel: how many are trusted, and what one says that is not."""

from __future__ import annotations

import structlog
from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from telephony.settings import Settings
from web.services import services

log = structlog.get_logger(__name__)

# What proxies add to a request that they hand on.
_HEADERS = ("X-Forwarded-For", "X-Real-IP", "Forwarded")


def set_up(app: Flask, settings: Settings) -> None:
    """Take the visitor's address from the proxies that are set up, or warn of one that is not."""
    if settings.web_proxies:
        hops = settings.web_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
        return
    warned = False

    @app.before_request
    def warn() -> None:
        nonlocal warned
        if not warned and is_forwarded():
            warned = True
            log.warning("panel.proxy_not_set_up", setting="DUTYLINE_WEB_PROXIES")


def is_forwarded() -> bool:
    """Return whether a proxy that is not set up handed the request on.

    Its address is then the proxy's own and tells nothing of who asks.
    """
    if services().settings.web_proxies:
        return False
    return any(name in request.headers for name in _HEADERS)
