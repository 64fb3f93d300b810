"""The panel and the REST API: a Flask application made by `create_app`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import Engine

from telephony.accounts.passwords import Passwords
from telephony.secrets import open_vault
from telephony.settings import Settings
from telephony.store.engine import open_engine
from web import areas, errors, i18n, pages, proxies, rights, security, sessions, vendor
from web.services import EXTENSION, Services, utc_now


def create_app(
    settings: Settings,
    engine: Engine | None = None,
    *,
    now: Callable[[], datetime] = utc_now,
    passwords: Passwords | None = None,
) -> Flask:
    """Return the application. Without `engine` it opens its own, which fails with StoreError;
    SecretError when the key file cannot be used.

    `now` is the clock of sessions and limits, `passwords` hashes with Argon2's usual cost.
    """
    app = Flask(__name__, static_folder=None)
    vault = open_vault(settings.secret_key, settings.data_dir)
    app.extensions[EXTENSION] = Services(
        engine=engine or open_engine(settings.database_url),
        settings=settings,
        vault=vault,
        passwords=passwords or Passwords(),
        now=now,
    )
    cookie_key, *older_keys = vault.derive("panel cookie")
    https = settings.web_url.startswith("https:")
    app.config.update(
        SECRET_KEY=cookie_key,
        SECRET_KEY_FALLBACKS=older_keys,
        SESSION_COOKIE_NAME="__Host-dutyline" if https else "dutyline",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        WTF_CSRF_SSL_STRICT=False,  # SameSite and the token do; a proxy may strip the referrer
        MAX_CONTENT_LENGTH=1_000_000,
        MAX_FORM_MEMORY_SIZE=1_000_000,
    )
    proxies.set_up(app, settings)
    csrf = CSRFProtect()
    vendor.set_up(app)
    security.set_up(app)
    sessions.set_up(app)
    app.before_request(rights.refuse_undeclared)
    csrf.init_app(app)
    i18n.set_up(app)
    errors.set_up(app)
    pages.set_up(app)
    areas.register(app, csrf)
    return app
