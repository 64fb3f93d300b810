"""The list of calendars, and one of them: what it brings, what is wrong, putting it to use."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from telephony import subscriptions
from telephony.store.calendars import Owner, copy_of, get_feed, list_feeds
from telephony.store.engine import reading, writing
from telephony.store.setup import load_setup
from web.calendaring import calendars, owner_words, takes_words
from web.calendars.area import EDITORS, blueprint, feed_or_404
from web.calendars.words import brought
from web.notes import note
from web.pages import PER_PAGE, Paging, page_number
from web.rights import allow
from web.services import services
from web.texts import gettext
from web.wrong import fault_words

_SHOWN = 200


@blueprint.get("")
@allow(*EDITORS)
def index() -> str:
    """List the calendars that duty comes from."""
    with reading(services().engine) as session:
        setup, feeds = load_setup(session), list_feeds(session)
    paging = Paging(page_number(), PER_PAGE, len(feeds))
    shown = feeds[paging.offset : paging.offset + PER_PAGE]
    return render_template(
        "calendars/index.html",
        feeds=shown,
        paging=paging,
        owners={
            (feed.owner_kind, feed.owner): owner_words(setup, feed.owner_kind, feed.owner)
            for feed in shown
        },
        fault_words=fault_words,
        anybody=bool(setup.groups or setup.operators),
    )


@blueprint.get("/<int:key>")
@allow(*EDITORS)
def show(key: int) -> str:
    """Show what a calendar brings in the next 14 days, its problems and its state."""
    now = services().now()
    with reading(services().engine) as session:
        feed = get_feed(session, key)
        if feed is None:
            abort(404)
        setup = load_setup(session)
        copy = copy_of(session, feed)
    entries = brought(setup, copy, now)
    return render_template(
        "calendars/show.html",
        feed=feed,
        owner=owner_words(setup, feed.owner_kind, feed.owner),
        of_group=feed.owner_kind is Owner.GROUP,
        takes=takes_words(feed.takes),
        entries=entries[:_SHOWN],
        more=len(entries) - len(entries[:_SHOWN]),
        now=now,
        fault_words=fault_words,
    )


@blueprint.post("/<int:key>/use")
@allow(*EDITORS)
def use(key: int) -> Response:
    """Let duty come from a calendar."""
    return _switch(key, True)


@blueprint.post("/<int:key>/stop")
@allow(*EDITORS)
def stop(key: int) -> Response:
    """Let duty come from a calendar no more; it stays."""
    return _switch(key, False)


@blueprint.post("/<int:key>/renew")
@allow(*EDITORS)
def renew(key: int) -> Response:
    """Fetch a calendar now."""
    feed = feed_or_404(key)
    error = calendars().renew_now(key)
    if error is None:
        flash(gettext("The calendar was read."))
    else:
        flash(fault_words(error.fault.value, error.detail), "bad")
    return redirect(url_for("calendars.show", key=feed.id))


@blueprint.post("/<int:key>/remove")
@allow(*EDITORS)
def remove(key: int) -> Response:
    """Delete a calendar with what came of it."""
    with writing(services().engine) as session:
        if not subscriptions.remove(session, key, note):
            abort(404)
    flash(gettext("The calendar is deleted."))
    return redirect(url_for("calendars.index"))


def _switch(key: int, on: bool) -> Response:
    with writing(services().engine) as session:
        if not subscriptions.switch(session, key, on, services().now(), note):
            abort(404)
    flash(gettext("Duty comes from it now.") if on else gettext("Duty comes from it no more."))
    return redirect(url_for("calendars.show", key=key))
