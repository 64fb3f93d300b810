"""Webhooks: added, changed, paused, deleted, tried."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from telephony.accounts import Role
from telephony.notify import FORMS, ZAMMAD, ZAMMAD_EVENTS
from telephony.store.engine import reading, writing
from telephony.store.tables import BIGGEST_KEY
from telephony.store.webhooks import Webhook, get_webhook
from telephony.telling import webhooks
from telephony.telling.written import check_events, check_webhook
from web.calendaring import outgoing
from web.notes import note
from web.notices.area import blueprint, to_list
from web.notices.forms import EditWebhookForm, WebhookForm
from web.rights import allow
from web.services import services
from web.telling import event_words, reason_words
from web.texts import gettext


@blueprint.route("/webhooks/new", methods=["GET", "POST"])
@allow(Role.ADMIN)
def add_webhook() -> str | tuple[str, int]:
    """Add a webhook, and show its secret once."""
    offer = services()
    form = WebhookForm(events=list(ZAMMAD_EVENTS))
    form.offer()
    if not form.validate_on_submit():
        return _page("notices/webhook_new.html", form)
    written = form.written(form.form.data if form.form.data in FORMS else FORMS[0])
    place, wrong = check_webhook(written, outgoing())
    if wrong:
        form.object(wrong)
        return _page("notices/webhook_new.html", form)
    with writing(offer.engine) as session:
        key, secret = webhooks.add(session, written, place, offer.vault, offer.now(), note)
        hook = get_webhook(session, key)
    return render_template(
        "notices/webhook_made.html", hook=hook, secret=secret, event_words=event_words
    )


@blueprint.route("/webhooks/<int:key>", methods=["GET", "POST"])
@allow(Role.ADMIN)
def edit_webhook(key: int) -> str | Response | tuple[str, int]:
    """Show a webhook with its state, and change it."""
    offer = services()
    hook = _known(key)
    form = EditWebhookForm(events=list(hook.events))
    form.offer(hook.form)
    if not form.validate_on_submit():
        return _page("notices/webhook.html", form, hook)
    written = form.written(hook.form)
    place, wrong = "", check_events(written)
    if written.url:
        place, wrong = check_webhook(written, outgoing())
    if wrong:
        form.object(wrong)
        return _page("notices/webhook.html", form, hook)
    with writing(offer.engine) as session:
        if not webhooks.change(session, hook, written, place, offer.vault, note):
            abort(404)
    flash(gettext("Saved."), "good")
    return redirect(url_for("notices.edit_webhook", key=key))


@blueprint.post("/webhooks/<int:key>/pause")
@allow(Role.ADMIN)
def pause_webhook(key: int) -> Response:
    """Send no more to a webhook."""
    hook = _known(key)
    with writing(services().engine) as session:
        webhooks.pause(session, hook.id, services().now(), note)
    flash(gettext("Nothing is sent to %(place)s any more.", place=hook.place), "good")
    return redirect(url_for("notices.edit_webhook", key=key))


@blueprint.post("/webhooks/<int:key>/enable")
@allow(Role.ADMIN)
def enable_webhook(key: int) -> Response:
    """Send to a webhook again."""
    hook = _known(key)
    with writing(services().engine) as session:
        webhooks.enable(session, hook.id, note)
    flash(gettext("%(place)s is told again.", place=hook.place), "good")
    return redirect(url_for("notices.edit_webhook", key=key))


@blueprint.post("/webhooks/<int:key>/delete")
@allow(Role.ADMIN)
def delete_webhook(key: int) -> Response:
    """Delete a webhook."""
    hook = _known(key)
    with writing(services().engine) as session:
        webhooks.remove(session, hook.id, services().now(), note)
    flash(gettext("The webhook is deleted."), "good")
    return to_list()


@blueprint.post("/webhooks/<int:key>/test")
@allow(Role.ADMIN)
def try_webhook(key: int) -> Response:
    """Send a made-up call to a webhook, and say what it answered."""
    hook = _known(key)
    offer = services()
    tried = webhooks.try_out(hook, outgoing(), offer.vault, offer.now())
    if tried.why:
        said = {"place": hook.place, "why": reason_words(tried.why)}
        flash(gettext("The test did not arrive at %(place)s: %(why)s.", **said), "bad")
    else:
        flash(
            gettext(
                "%(place)s took the test: it answered %(status)s after %(ms)s ms.",
                place=hook.place,
                status=tried.status,
                ms=tried.took_ms,
            ),
            "good",
        )
    return redirect(url_for("notices.edit_webhook", key=key))


def _known(key: int) -> Webhook:
    with reading(services().engine) as session:
        hook = None if key > BIGGEST_KEY else get_webhook(session, key)
    if hook is None:
        abort(404)
    return hook


def _page(template: str, form: WebhookForm, hook: Webhook | None = None) -> str | tuple[str, int]:
    failing = None
    if hook is not None:
        with reading(services().engine) as session:
            failing = webhooks.failing_since(session, [hook])[hook.id]
    page = render_template(
        template,
        form=form,
        hook=hook,
        failing_since=failing,
        zammad=ZAMMAD,
        reason_words=reason_words,
    )
    return (page, 422) if form.is_submitted() else page
