"""The areas of the panel: each has a blueprint of its own."""

from __future__ import annotations

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from web import calendars, cases, clients, home, notices, rosters, setup, style
from web.admin import audit, settings, tokens, users
from web.announcements import views as announcements
from web.api import document
from web.auth import views as auth
from web.blocked import views as blocked
from web.calendars import feed
from web.callbackrules import views as callbackrules
from web.calls import views as calls
from web.changes import views as changes
from web.explain import views as explain
from web.health import metrics, probes
from web.health import views as health
from web.numbers import views as numbers
from web.operators import switches
from web.operators import views as operators
from web.profile import views as profile
from web.queues import views as queues
from web.sites import views as sites
from web.widget import views as widget

PANEL = (
    home.blueprint,
    calls.blueprint,
    cases.blueprint,
    clients.blueprint,
    blocked.blueprint,
    operators.blueprint,
    rosters.blueprint,
    explain.blueprint,
    calendars.blueprint,
    feed.blueprint,
    numbers.blueprint,
    announcements.blueprint,
    switches.blueprint,
    queues.blueprint,
    callbackrules.blueprint,
    sites.blueprint,
    notices.blueprint,
    setup.blueprint,
    auth.blueprint,
    profile.blueprint,
    health.blueprint,
    users.blueprint,
    tokens.blueprint,
    audit.blueprint,
    settings.blueprint,
    changes.blueprint,
    style.blueprint,
    probes.blueprint,
    metrics.blueprint,
    widget.blueprint,
)


def register(app: Flask, csrf: CSRFProtect) -> None:
    """Add every area to the application.

    `csrf` is for the API and the button on web sites, which look at no cookie:
    `csrf.exempt(blueprint)`.
    """
    csrf.exempt(widget.blueprint)
    for blueprint in PANEL:
        app.register_blueprint(blueprint)
    document.register(app, csrf)
