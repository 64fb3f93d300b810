"""A client as people write one down, checked: the same for a file, the panel and the API."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from telephony.domain.directory import Stage
from telephony.domain.numbers import normalise
from telephony.store.clients import ClientData

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


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing wrong: the field, its value, and why (`detail` fills the words)."""

    field: str
    value: str
    problem: Problem
    detail: str = ""


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
    client = ClientData(
        name=written.name,
        phones=tuple(phones),
        manager=written.manager or None,
        deputy=written.deputy or None,
        vip=bool(vip),
        notes=written.notes,
        stage=stage or Stage.CUSTOMER,
        sales_manager=written.sales_manager or None,
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
