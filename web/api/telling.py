"""Notices by e-mail, webhooks, and what did not arrive: by the panel's own checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from flask import abort

from telephony.accounts import Scope
from telephony.notify import say_event, say_reason
from telephony.store.deliveries import State
from telephony.store.engine import reading, writing
from telephony.store.notices import Notice, Recipient, get_notice, list_notices
from telephony.store.tables import BIGGEST_BIG_KEY, BIGGEST_KEY
from telephony.store.webhooks import Webhook, get_webhook, list_webhooks
from telephony.telling import deliveries as undelivered
from telephony.telling import notices as mails
from telephony.telling import webhooks as hooks
from telephony.telling.written import (
    Objected,
    WrittenNotice,
    WrittenWebhook,
    check_events,
    check_notice,
    check_webhook,
)
from web.api import schemas, tellingshapes
from web.api.base import conflict, language, reads, refuse, writes
from web.calendaring import outgoing
from web.notes import note_by_token
from web.services import services
from web.telling import wrong_words
from web.texts import gettext

_READ, _WRITE = Scope.NOTICES_READ, Scope.NOTICES_WRITE
_NOTICE, _WEBHOOK = "/notices/<int:notice_id>", "/webhooks/<int:webhook_id>"


@reads("/notices", _READ, tellingshapes.NoticeList, schemas.Paged)
def notices(query: Mapping[str, Any]) -> dict[str, Any]:
    """List who is mailed when what happens."""
    with reading(services().engine) as session:
        found = list_notices(session)
    return _part(query, [_notice(one) for one in found])


@reads(_NOTICE, _READ, tellingshapes.OneNotice, schemas.Empty, one=True)
def one_notice(query: Mapping[str, Any], notice_id: int) -> dict[str, Any]:
    """Show one notice."""
    del query
    return _notice(_known_notice(notice_id))


@writes(
    "POST",
    "/notices",
    _WRITE,
    tellingshapes.OneNotice,
    tellingshapes.NoticeBody,
    status=201,
    one=False,
)
def add_notice(query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Add a notice."""
    del query
    written = _written_notice(body)
    with writing(services().engine) as session:
        key = mails.add(session, written, services().now(), note_by_token)
    return _notice(_known_notice(key))


@writes("PUT", _NOTICE, _WRITE, tellingshapes.OneNotice, tellingshapes.NoticeBody)
def change_notice(
    query: Mapping[str, Any], body: Mapping[str, Any], notice_id: int
) -> dict[str, Any]:
    """State a notice anew."""
    del query
    _known_notice(notice_id)
    written = _written_notice(body)
    with writing(services().engine) as session:
        if not mails.change(session, notice_id, written, note_by_token):
            abort(404)
    return _notice(_known_notice(notice_id))


@writes("DELETE", _NOTICE, _WRITE, None, status=204)
def delete_notice(query: Mapping[str, Any], notice_id: int) -> None:
    """Delete a notice."""
    del query
    with writing(services().engine) as session:
        if not mails.remove(session, _known_notice(notice_id).id, note_by_token):
            abort(404)


@writes("POST", f"{_NOTICE}/test", _WRITE, tellingshapes.MailTrials)
def try_notice(query: Mapping[str, Any], notice_id: int) -> dict[str, Any]:
    """Send a test mail to each recipient now (409: no mail server is set)."""
    del query
    rule = _known_notice(notice_id)
    mailer = mails.mailer_of(services().settings)
    if mailer is None:
        missing = mails.missing_setting(services().settings)
        words = gettext("No mail is sent as long as %(setting)s is not set.", setting=missing)
        conflict(words, [])
    return {
        "items": [
            {
                "address": one.recipient.address,
                "taken": one.at_all and not one.why,
                "tried": one.at_all,
                "why": say_reason(one.why, language()),
            }
            for one in mails.try_out(mailer, rule, services().now())
        ]
    }


@reads("/webhooks", _READ, tellingshapes.WebhookList, schemas.Paged)
def webhooks(query: Mapping[str, Any]) -> dict[str, Any]:
    """List the webhooks; of an address only the server is told."""
    with reading(services().engine) as session:
        found = list_webhooks(session)
    return _part(query, _shown(found))


@reads(_WEBHOOK, _READ, tellingshapes.OneWebhook, schemas.Empty, one=True)
def one_webhook(query: Mapping[str, Any], webhook_id: int) -> dict[str, Any]:
    """Show one webhook."""
    del query
    return _one_shown(webhook_id)


@writes(
    "POST",
    "/webhooks",
    _WRITE,
    tellingshapes.NewWebhook,
    tellingshapes.WebhookBody,
    status=201,
    one=False,
)
def add_webhook(query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Add a webhook; its secret is shown this once."""
    del query
    offer = services()
    written = WrittenWebhook(body["url"], tuple(body["events"]), body["form"])
    place, wrong = check_webhook(written, outgoing())
    if wrong:
        _refuse(wrong)
    with writing(offer.engine) as session:
        key, secret = hooks.add(session, written, place, offer.vault, offer.now(), note_by_token)
    return {**_one_shown(key), "secret": secret}


@writes("PATCH", _WEBHOOK, _WRITE, tellingshapes.OneWebhook, tellingshapes.WebhookPatch)
def change_webhook(
    query: Mapping[str, Any], body: Mapping[str, Any], webhook_id: int
) -> dict[str, Any]:
    """Give a webhook other events or another address, pause it or switch it on."""
    del query
    offer = services()
    hook = _known_webhook(webhook_id)
    written = WrittenWebhook(body.get("url", ""), tuple(body.get("events", hook.events)), hook.form)
    place, wrong = "", check_events(written)
    if "url" in body:
        place, wrong = check_webhook(written, outgoing())
    if wrong:
        _refuse(wrong)
    with writing(offer.engine) as session:
        if not hooks.change(session, hook, written, place, offer.vault, note_by_token):
            abort(404)
        if body.get("enabled") is True:
            hooks.enable(session, hook.id, note_by_token)
        elif body.get("enabled") is False:
            hooks.pause(session, hook.id, offer.now(), note_by_token)
    return _one_shown(webhook_id)


@writes("DELETE", _WEBHOOK, _WRITE, None, status=204)
def delete_webhook(query: Mapping[str, Any], webhook_id: int) -> None:
    """Delete a webhook; what waits for it is given up."""
    del query
    offer = services()
    with writing(offer.engine) as session:
        hooks.remove(session, _known_webhook(webhook_id).id, offer.now(), note_by_token)


@writes("POST", f"{_WEBHOOK}/test", _WRITE, tellingshapes.WebhookTrial)
def try_webhook(query: Mapping[str, Any], webhook_id: int) -> dict[str, Any]:
    """Send a made-up call.started to a webhook now, and say what it answered."""
    del query
    offer = services()
    tried = hooks.try_out(_known_webhook(webhook_id), outgoing(), offer.vault, offer.now())
    return {
        "taken": not tried.why,
        "status": tried.status,
        "took_ms": tried.took_ms,
        "why": say_reason(tried.why, language()),
    }


@reads("/deliveries", _READ, tellingshapes.UndeliveredList, schemas.Paged)
def deliveries(query: Mapping[str, Any]) -> dict[str, Any]:
    """List what did not arrive, newest first: given up, or waiting after a failure."""
    with reading(services().engine) as session:
        found, total = undelivered.undelivered(session, query["limit"], query["offset"])
    return {"items": [_delivery(one) for one in found], "total": total}


@writes("POST", "/deliveries/<int:delivery_id>/retry", _WRITE, tellingshapes.OneUndelivered)
def retry_delivery(query: Mapping[str, Any], delivery_id: int) -> dict[str, Any]:
    """Send what was given up once more (409: it was not given up)."""
    del query
    offer = services()
    if delivery_id > BIGGEST_BIG_KEY:
        abort(404)
    with writing(offer.engine) as session:
        one = undelivered.one_undelivered(session, delivery_id)
        if one is None:
            abort(404)
        if not undelivered.retry(session, one, offer.now(), note_by_token):
            conflict(gettext("It is under way already, or has arrived."), [])
        again = undelivered.one_undelivered(session, delivery_id)
    assert again is not None
    return _delivery(again)


def _part(query: Mapping[str, Any], items: list[dict[str, Any]]) -> dict[str, Any]:
    begin = query["offset"]
    return {"items": items[begin : begin + query["limit"]], "total": len(items)}


def _known_notice(notice_id: int) -> Notice:
    with reading(services().engine) as session:
        rule = get_notice(session, notice_id)
    if rule is None:
        abort(404)
    return rule


def _known_webhook(webhook_id: int) -> Webhook:
    with reading(services().engine) as session:
        hook = None if webhook_id > BIGGEST_KEY else get_webhook(session, webhook_id)
    if hook is None:
        abort(404)
    return hook


def _written_notice(body: Mapping[str, Any]) -> WrittenNotice:
    recipients = tuple(Recipient(one["address"], one["language"]) for one in body["recipients"])
    did = body["did"]
    did = None if did is None else did.removeprefix("+")
    written = WrittenNotice(tuple(body["events"]), did, body["zone"], recipients)
    wrong = check_notice(written)
    if wrong:
        _refuse(wrong)
    return written


def _refuse(wrong: Iterable[Objected]) -> NoReturn:
    errors: dict[str, list[str]] = {}
    for one in wrong:
        errors.setdefault(one.field, []).append(wrong_words(one))
    refuse(errors)


def _notice(rule: Notice) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in Notice.__slots__}


def _one_shown(key: int) -> dict[str, Any]:
    return _shown([_known_webhook(key)])[0]


def _shown(found: Sequence[Webhook]) -> list[dict[str, Any]]:
    with reading(services().engine) as session:
        failing = hooks.failing_since(session, found)
    return [
        {
            "id": hook.id,
            "form": hook.form,
            "events": hook.events,
            "place": hook.place,
            "enabled": hook.enabled,
            "problem": None if hook.problem is None else say_reason(hook.problem, language()),
            "failing_since": failing[hook.id],
            "created_at": hook.created_at,
        }
        for hook in found
    ]


def _delivery(one: undelivered.Undelivered) -> dict[str, Any]:
    delivery = one.delivery
    return {
        "id": delivery.id,
        "event": delivery.event,
        "words": say_event(delivery.event, language()),
        "way": one.way,
        "receiver": one.receiver or None,
        "wanted": one.wanted,
        "state": delivery.state,
        "tries": delivery.attempt,
        "next_at": delivery.due_at if delivery.state == State.WAITING else None,
        "status": delivery.last_status,
        "why": say_reason(delivery.last_error or "", language()),
        "created_at": delivery.created_at,
    }
