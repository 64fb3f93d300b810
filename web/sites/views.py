"""The pages of web sites with a callback button."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from telephony.accounts import Role
from telephony.store.audit import changes
from telephony.store.engine import reading, writing
from telephony.store.setup import load_setup
from telephony.store.sites import (
    Counted,
    Site,
    add_site,
    count_lately,
    get_site,
    list_sites,
    remove_site,
    save_site,
)
from web.notes import note
from web.rights import allow
from web.services import services
from web.sites.forms import ADDRESS_HOUR, NUMBER_HOUR, SITE_HOUR, SiteForm
from web.texts import gettext
from web.widget.script import script

blueprint = Blueprint("sites", __name__, url_prefix="/sites")

LATELY = 7  # days
_KEY_BYTES = 9
_LONGEST_KEY = 64


@blueprint.get("")
@allow(Role.ADMIN)
def index() -> str:
    """List the sites, with what was asked by their visitors lately."""
    offer = services()
    with reading(offer.engine) as session:
        sites, setup = list_sites(session), load_setup(session)
        counts = count_lately(session, offer.now(), LATELY)
    return render_template(
        "sites/index.html",
        sites=sites,
        dids=setup.dids,
        taken={one.key: counts.get((one.key, Counted.TAKEN), 0) for one in sites},
        refused={one.key: counts.get((one.key, Counted.REFUSED), 0) for one in sites},
        days=LATELY,
    )


@blueprint.route("/new", methods=["GET", "POST"])
@allow(Role.ADMIN)
def add() -> str | AnyResponse | tuple[str, int]:
    """Add a site."""
    offer = services()
    form = SiteForm(
        enabled=True, site_hour=SITE_HOUR, address_hour=ADDRESS_HOUR, number_hour=NUMBER_HOUR
    )
    with reading(offer.engine) as session:
        form.offer(load_setup(session), None)
    if not form.validate_on_submit():
        return _page(form, None)
    site = Site(key=secrets.token_urlsafe(_KEY_BYTES), created_at=offer.now(), **form.values())
    with writing(offer.engine) as session:
        add_site(session, site)
        note(session, "site.added", site.title, origins=list(site.origins))
    flash(gettext("The site is added. Paste the line below into its pages."), "good")
    return redirect(url_for("sites.edit", key=site.key))


@blueprint.route("/<key>", methods=["GET", "POST"])
@allow(Role.ADMIN)
def edit(key: str) -> str | AnyResponse | tuple[str, int]:
    """Show a site, its line to paste and a preview, and change it."""
    site = _known(key)
    form = SiteForm(**_shown(site))
    with reading(services().engine) as session:
        form.offer(load_setup(session), site)
    if not form.validate_on_submit():
        return _page(form, site)
    changed = replace(site, **form.values())
    details = changes(_shown(site), _shown(changed))
    with writing(services().engine) as session:
        if not save_site(session, changed):
            abort(404)
        if details:
            note(session, "site.changed", changed.title, **details)
    flash(gettext("Saved."), "good")
    return redirect(url_for("sites.edit", key=key))


@blueprint.route("/<key>/delete", methods=["GET", "POST"])
@allow(Role.ADMIN)
def delete(key: str) -> str | AnyResponse:
    """Ask whether a site is to be deleted, and delete it."""
    site = _known(key)
    if request.method == "POST":
        with writing(services().engine) as session:
            if remove_site(session, key):
                note(session, "site.removed", site.title, origins=list(site.origins))
        flash(gettext("The site is deleted: its button asks for nothing any more."), "good")
        return redirect(url_for("sites.index"))
    return render_template("sites/delete.html", site=site)


@blueprint.get("/<key>/preview.js")
@allow(Role.ADMIN)
def preview(key: str) -> Response:
    """Give the button's script for the preview, also of a site that is switched off."""
    return Response(script(_known(key)), content_type="text/javascript; charset=utf-8")


def _known(key: str) -> Site:
    if len(key) > _LONGEST_KEY or "\x00" in key:
        abort(404)
    with reading(services().engine) as session:
        site = get_site(session, key)
    if site is None:
        abort(404)
    return site


def _page(form: SiteForm, site: Site | None) -> str | tuple[str, int]:
    for field in form:
        field.flags.required = True
    snippet = ""
    if site is not None:
        address = url_for("widget.button", key=site.key)
        snippet = f'<script src="{_panel()}{address}" async></script>'
    shown = render_template(
        "sites/edit.html", form=form, site=site, snippet=snippet, panel=_panel()
    )
    return (shown, 422) if form.is_submitted() else shown


def _panel() -> str:
    """Return the panel's address as other sites reach it."""
    return (services().settings.web_url or request.host_url).rstrip("/")


def _shown(site: Site) -> dict[str, Any]:
    """Return a site as its form has it."""
    names = ("title", "did", "language", "enabled", "site_hour", "address_hour", "number_hour")
    return {name: getattr(site, name) for name in names} | {"origins": "\n".join(site.origins)}
