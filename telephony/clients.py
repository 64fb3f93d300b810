"""A client as people write one down: checked and saved, for a file, the panel and the API alike."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from telephony.domain.directory import Stage
from telephony.domain.numbers import normalise
from telephony.store.audit import changes
from telephony.store.client_changes import delete_clients, save_clients
from telephony.store.clients import ClientData, find_owners, get_clients
from telephony.store.directory import client_version, lock_version
from telephony.store.setup import list_extensions
from telephony.zones import known_zones

LONGEST = {"name": 100, "notes": 2000}
MOST_PHONES = 50
POSTS = ("manager", "sales_manager", "deputy")

YES_NO = {
    "yes": True, "1": True, "true": True, "да": True,
    "no": False, "0": False, "false": False, "нет": False, "": False,
}  # fmt: skip
STAGES = {
    "lead": Stage.LEAD, "лид": Stage.LEAD,
    "customer": Stage.CUSTOMER, "клиент": Stage.CUSTOMER, "": Stage.CUSTOMER,
}  # fmt: skip


class Problem(StrEnum):
    """What can be wrong with a client or with a file of clients."""

    NOT_UTF8 = "not_utf8"
    NOT_CSV = "not_csv"
    EMPTY_FILE = "empty_file"
    UNKNOWN_COLUMN = "unknown_column"
    COLUMN_TWICE = "column_twice"
    COLUMN_MISSING = "column_missing"
    FIELDS = "fields"
    NAME_EMPTY = "name_empty"
    TOO_LONG = "too_long"
    CONTROL_CHARACTER = "control_character"
    NO_PHONE = "no_phone"
    NOT_A_NUMBER = "not_a_number"
    TOO_MANY_PHONES = "too_many_phones"
    NUMBER_TWICE = "number_twice"
    NUMBER_TAKEN = "number_taken"
    TWO_MANAGERS = "two_managers"
    UNKNOWN_EXTENSION = "unknown_extension"
    NOT_YES_NO = "not_yes_no"
    UNKNOWN_STAGE = "unknown_stage"
    UNKNOWN_ZONE = "unknown_zone"
    TWO_CLIENTS = "two_clients"
    CLIENT_TWICE = "client_twice"


@dataclass(frozen=True, slots=True)
class Written:
    """The fields as somebody wrote them; extensions and choices may be empty."""

    name: str
    phones: Sequence[str]
    stage: str = ""
    manager: str = ""
    sales_manager: str = ""
    deputy: str = ""
    vip: str = ""
    notes: str = ""
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing wrong: the field, its value, and why (`detail` fills the words).

    `owner` is the id of the client who has the number already.
    """

    field: str
    value: str
    problem: Problem
    detail: str = ""
    owner: int | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of one client: its id, what it was (None when it is new), and what it is now.

    Nothing was written when something is `wrong`, or when before and after are the same.
    """

    id: int
    before: ClientData | None
    after: ClientData
    wrong: tuple[Wrong, ...] = ()


class GoneError(Exception):
    """There is no such client, or no more."""


class ChangedError(Exception):
    """Somebody changed the client after the version that the change was made from."""


def check_client(
    written: Written, country: str, operators: Collection[str]
) -> tuple[ClientData, list[Wrong]]:
    """Return the client that was meant, and everything that is wrong with it.

    Without anything wrong it may be stored; a number that was written twice stands there twice.
    `country` is as in `domain.numbers.normalise`, `operators` are the extensions there are.
    """
    wrong: list[Wrong] = []
    if not written.name:
        wrong.append(Wrong("name", "", Problem.NAME_EMPTY))
    wrong += _text("name", written.name)
    wrong += _text("notes", written.notes)
    phones = []
    for raw in written.phones:
        number = normalise(raw, country)
        if number is None:
            wrong.append(Wrong("phones", raw, Problem.NOT_A_NUMBER))
        else:
            phones.append(number)
    if len(phones) > MOST_PHONES:
        wrong.append(Wrong("phones", "", Problem.TOO_MANY_PHONES, str(MOST_PHONES)))
    if not phones and not wrong:
        wrong.append(Wrong("phones", "", Problem.NO_PHONE))
    for post in POSTS:
        extension = getattr(written, post)
        if extension and extension not in operators:
            wrong.append(Wrong(post, extension, Problem.UNKNOWN_EXTENSION))
    vip = YES_NO.get(written.vip.lower())
    if vip is None:
        wrong.append(Wrong("vip", written.vip, Problem.NOT_YES_NO))
    stage = STAGES.get(written.stage.lower())
    if stage is None:
        wrong.append(Wrong("stage", written.stage, Problem.UNKNOWN_STAGE))
    if written.zone and written.zone not in known_zones():
        wrong.append(Wrong("zone", written.zone, Problem.UNKNOWN_ZONE))
    client = ClientData(
        name=written.name,
        phones=tuple(phones),
        manager=written.manager or None,
        deputy=written.deputy or None,
        vip=bool(vip),
        notes=written.notes,
        stage=stage or Stage.CUSTOMER,
        sales_manager=written.sales_manager or None,
        zone=written.zone or None,
    )
    return client, wrong


def _text(field: str, value: str) -> list[Wrong]:
    wrong = []
    if len(value) > LONGEST[field]:
        wrong.append(Wrong(field, value[:20] + "…", Problem.TOO_LONG, str(LONGEST[field])))
    allowed = "\n\t\r" if field == "notes" else ""
    for character in value:
        if unicodedata.category(character) in ("Cc", "Cs") and character not in allowed:
            code = f"U+{ord(character):04X}"
            wrong.append(Wrong(field, value, Problem.CONTROL_CHARACTER, code))
            break
    return wrong


def save_client(
    session: Session,
    written: Written,
    country: str,
    *,
    client_id: int | None = None,
    seen: int | None = None,
) -> Saved:
    """Check a client and save it: a new one, or over the one of `client_id`.

    The session must be for writing; the caller commits. `seen` is the version (see
    `store.directory.client_version`) that the change was made from, None for any. Raises GoneError
    and ChangedError, before anything is written.
    """
    before = _present(session, client_id, seen)
    data, wrong = check_client(written, country, list_extensions(session))
    if before is not None and data.zone == before.zone:
        # One that this machine does not know any more keeps nobody from changing the rest.
        wrong = [one for one in wrong if one.problem is not Problem.UNKNOWN_ZONE]
    data = replace(data, phones=tuple(dict.fromkeys(data.phones)))
    wrong += _taken(session, data, client_id)
    if wrong or (before is not None and same(before, data)):
        return Saved(client_id or 0, before, data, tuple(wrong))
    changed = {} if client_id is None else {client_id: data}
    saved = save_clients(session, [data] if client_id is None else (), changed)
    return Saved(saved.ids[0] if client_id is None else client_id, before, data)


def remove_client(session: Session, client_id: int, seen: int | None = None) -> ClientData:
    """Delete a client and return what it was; its calls stay. Raises as `save_client` does."""
    before = _present(session, client_id, seen)
    if before is None:
        raise GoneError
    delete_clients(session, [client_id])
    return before


def same(one: ClientData, other: ClientData) -> bool:
    """Tell whether two clients are the same, in whichever order their numbers stand."""
    return replace(one, phones=tuple(sorted(one.phones))) == replace(
        other, phones=tuple(sorted(other.phones))
    )


def differences(before: ClientData, after: ClientData) -> dict[str, dict[str, Any]]:
    """Return field → old and new, of what is another: for the audit log."""
    return changes(_plain(before), _plain(after))


def _plain(client: ClientData) -> dict[str, Any]:
    fields = {name: getattr(client, name) for name in ClientData.__slots__}
    return {**fields, "phones": sorted(client.phones)}


def _present(session: Session, client_id: int | None, seen: int | None) -> ClientData | None:
    """Return the client as it is now; nobody changes it from here to the commit."""
    lock_version(session)
    if client_id is None:
        return None
    before = get_clients(session, [client_id]).get(client_id)
    if before is None:
        raise GoneError
    if seen is not None and client_version(session, client_id) != seen:
        raise ChangedError
    return before


def _taken(session: Session, data: ClientData, client_id: int | None) -> list[Wrong]:
    """Return an error for each number that is somebody else's."""
    owners = find_owners(session, data.phones)
    others = get_clients(session, {owner for owner in owners.values() if owner != client_id})
    return [
        Wrong("phones", number, Problem.NUMBER_TAKEN, others[owner].name, owner)
        for number in data.phones
        if (owner := owners.get(number)) in others
    ]
