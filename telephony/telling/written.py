"""Notices and webhooks as people write them down, checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from telephony.notify import (
    DID_EVENTS,
    EVENTS,
    NOTICE_EVENTS,
    STANDARD,
    ZAMMAD,
    ZAMMAD_EVENTS,
    is_mail_address,
)
from telephony.outgoing import Outgoing, OutgoingError, place_of
from telephony.store.notices import Recipient
from telephony.words import LANGUAGES
from telephony.zones import known_zones

MOST_RECIPIENTS = 50
_DID_DIGITS = (3, 15)


class Objection(StrEnum):
    """What can be wrong with a notice or a webhook."""

    NO_EVENT = "no_event"
    UNKNOWN_EVENT = "unknown_event"
    NOT_BY_NUMBER = "not_by_number"
    NOT_A_NUMBER = "not_a_number"
    NOT_A_ZONE = "not_a_zone"
    NO_RECIPIENT = "no_recipient"
    MANY_RECIPIENTS = "many_recipients"
    NOT_AN_ADDRESS = "not_an_address"
    NOT_A_LANGUAGE = "not_a_language"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Objected:
    """One thing wrong: the field (events, did, zone, recipients, url), why, and what stands there.

    Of REFUSED the detail is the sentence of the outgoing room.
    """

    field: str
    why: Objection
    detail: str = ""


@dataclass(frozen=True, slots=True)
class WrittenNotice:
    """Who is mailed of which events; `did` (None: any) limits it to one number of ours."""

    events: tuple[str, ...]
    did: str | None
    zone: str
    recipients: tuple[Recipient, ...]


@dataclass(frozen=True, slots=True)
class WrittenWebhook:
    """Where which events are sent; an empty `url` leaves that of a webhook that is there."""

    url: str
    events: tuple[str, ...]
    form: str = STANDARD


def in_order(events: Iterable[str], possible: tuple[str, ...]) -> tuple[str, ...]:
    """Return events in the order in which they are always shown, each once."""
    chosen = set(events)
    return tuple(event for event in possible if event in chosen)


def possible_events(form: str) -> tuple[str, ...]:
    """Return the events that a webhook of this form may tell of."""
    return ZAMMAD_EVENTS if form == ZAMMAD else EVENTS


def check_notice(written: WrittenNotice) -> tuple[Objected, ...]:
    """Return everything that is wrong with a notice."""
    return tuple(_wrong_notice(written))


def check_webhook(written: WrittenWebhook, outgoing: Outgoing) -> tuple[str, tuple[Objected, ...]]:
    """Return what may be shown of a webhook's address, and everything that is wrong.

    The name is looked up: an address that leads to where nothing may be sent is refused.
    """
    wrong = list(_wrong_events(written.events, possible_events(written.form)))
    place = ""
    try:
        parsed = outgoing.check(written.url)
        outgoing.addresses(parsed)
        place = place_of(parsed)
    except OutgoingError as error:
        wrong.append(Objected("url", Objection.REFUSED, str(error)))
    return place, tuple(wrong)


def check_events(written: WrittenWebhook) -> tuple[Objected, ...]:
    """Return what is wrong with the events of a webhook whose address stays."""
    return tuple(_wrong_events(written.events, possible_events(written.form)))


def _wrong_notice(written: WrittenNotice) -> Iterator[Objected]:
    yield from _wrong_events(written.events, NOTICE_EVENTS)
    if written.did is not None:
        if any(event in NOTICE_EVENTS and event not in DID_EVENTS for event in written.events):
            yield Objected("did", Objection.NOT_BY_NUMBER)
        if not _is_did(written.did):
            yield Objected("did", Objection.NOT_A_NUMBER, written.did)
    if written.zone not in known_zones():
        yield Objected("zone", Objection.NOT_A_ZONE, written.zone)
    if not written.recipients:
        yield Objected("recipients", Objection.NO_RECIPIENT)
    if len(written.recipients) > MOST_RECIPIENTS:
        yield Objected("recipients", Objection.MANY_RECIPIENTS, str(MOST_RECIPIENTS))
        return
    for one in written.recipients:
        if not is_mail_address(one.address):
            yield Objected("recipients", Objection.NOT_AN_ADDRESS, one.address)
        elif one.language not in LANGUAGES:
            yield Objected("recipients", Objection.NOT_A_LANGUAGE, one.language)


def _wrong_events(events: tuple[str, ...], possible: tuple[str, ...]) -> Iterator[Objected]:
    if not events:
        yield Objected("events", Objection.NO_EVENT)
    unknown = [event for event in events if event not in possible]
    if unknown:
        yield Objected("events", Objection.UNKNOWN_EVENT, unknown[0])


def _is_did(text: str) -> bool:
    return text.isascii() and text.isdigit() and _DID_DIGITS[0] <= len(text) <= _DID_DIGITS[1]
