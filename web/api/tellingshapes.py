"""The shapes of notices by e-mail, of webhooks, and of what did not arrive."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from telephony.notify import EVENTS, FORMS, NOTICE_EVENTS, STANDARD, ZAMMAD_EVENTS
from telephony.store.deliveries import State
from telephony.telling.deliveries import Way
from telephony.words import LANGUAGES
from web.api.fields import Truth, at, code, count, text
from web.api.schemas import listed


def _events(possible: tuple[str, ...], about: str, **more: Any) -> Any:
    return fields.List(
        fields.String(validate=validate.OneOf(possible)), metadata={"description": about}, **more
    )


class RecipientOf(Schema):
    """Who gets a mail, and in which language."""

    address = text("The e-mail address", required=True)
    language = text("en or ru", required=True, validate=validate.OneOf(LANGUAGES))


class NoticeBody(Schema):
    """Who is mailed when what happens."""

    events = _events(NOTICE_EVENTS, "At least one", required=True)
    recipients = fields.List(
        fields.Nested(RecipientOf), required=True, metadata={"description": "1 to 50"}
    )
    did = text(
        "Only of calls to this number of ours, and of callbacks for them; null: any",
        load_default=None,
        allow_none=True,
    )
    zone = text("IANA name of the time zone of the times in mails", load_default="UTC")


class OneNotice(Schema):
    """A notice."""

    id = count("Its id", required=True)
    events = _events(NOTICE_EVENTS, "When they are mailed", required=True)
    recipients = fields.List(fields.Nested(RecipientOf), required=True)
    did = text("The one number of ours; null: any", required=True, allow_none=True)
    zone = text("IANA name of the time zone of the times in mails", required=True)


class MailTrial(Schema):
    """What came of one test mail."""

    address = text("To whom", required=True)
    taken = fields.Boolean(
        required=True, metadata={"description": "Whether the mail server took it"}
    )
    tried = fields.Boolean(
        required=True, metadata={"description": "False: the server failed before, or time was up"}
    )
    why = text("Why it was not taken, empty when it was", required=True)


class MailTrials(Schema):
    """What came of the test mails of a notice."""

    items = fields.List(fields.Nested(MailTrial), required=True)


class WebhookBody(Schema):
    """A webhook to be added."""

    url = text("Its address, which is kept sealed", required=True)
    form = text("How it is written", load_default=STANDARD, validate=validate.OneOf(FORMS))
    events = _events(
        EVENTS,
        "At least one; the form zammad takes call.started, call.answered and call.ended",
        load_default=list(ZAMMAD_EVENTS),
    )


class WebhookPatch(Schema):
    """What of a webhook is to be otherwise."""

    url = text("Another address; the secret stays")
    events = _events(EVENTS, "At least one")
    enabled = Truth(metadata={"description": "False: nothing is sent, what waits is given up"})


class OneWebhook(Schema):
    """A webhook, without its address and its secret."""

    id = count("Its id", required=True)
    form = text("How it is written", required=True, validate=validate.OneOf(FORMS))
    events = _events(EVENTS, "What it is told of", required=True)
    place = text("Its server, without the path", required=True)
    enabled = fields.Boolean(required=True, metadata={"description": "Whether anything is sent"})
    problem = text(
        "Why nothing is sent; null: it is, or somebody paused it", required=True, allow_none=True
    )
    failing_since = at("Since when it does not answer", required=True, allow_none=True)
    created_at = at("When it was added", required=True)


class NewWebhook(OneWebhook):
    """A webhook that was just added."""

    secret = text(
        "By which it verifies messages, shown this once; null for zammad",
        required=True,
        allow_none=True,
    )


class WebhookTrial(Schema):
    """What came of a test."""

    taken = fields.Boolean(required=True, metadata={"description": "Whether it answered 2xx"})
    status = count("HTTP's status; null: no answer", required=True, allow_none=True)
    took_ms = count("How long it took", required=True)
    why = text("Why it was not taken, empty when it was", required=True)


class OneUndelivered(Schema):
    """A webhook's message or a mail that did not arrive."""

    id = count("Its id", required=True)
    event = text("The event", required=True)
    words = text("The same in words, by Accept-Language", required=True)
    way = code(Way, "By mail or webhook", required=True)
    receiver = text(
        "The e-mail address, or the webhook's server; null: it was deleted",
        required=True,
        allow_none=True,
    )
    wanted = fields.Boolean(
        required=True, metadata={"description": "Whether the receiver is still to be told"}
    )
    state = code(State, "parked: given up", required=True)
    tries = count("How often it was tried", required=True)
    next_at = at("When it is tried next; null: not by itself", required=True, allow_none=True)
    status = count("HTTP's or SMTP's last status", required=True, allow_none=True)
    why = text("Why it failed, by Accept-Language where the words are ours", required=True)
    created_at = at("When it was to be told", required=True)


NoticeList = listed(OneNotice)
WebhookList = listed(OneWebhook)
UndeliveredList = listed(OneUndelivered)
