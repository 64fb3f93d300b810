"""Changes of the set-up from a view: whose they are, and the words for what changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import abort, flash, request

from telephony.configfile import (
    Author,
    Change,
    ConfigError,
    Data,
    Difference,
    Entry,
    Field,
    change,
    find,
)
from web.callbackwords import setting_words, value_words
from web.i18n import current_language
from web.rights import signed_in_user
from web.services import services
from web.texts import gettext

# The category of a flashed message begins with it; the version to be undone follows.
UNDO = "undo:"

# What differences of the rules of callbacks are called.
_CALLBACKS = "callback rules"

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def author() -> Author:
    """Return the signed-in user as the author of a change."""
    user = signed_in_user()
    return Author(user.login, user.id, request.remote_addr or "")


def edit_setup(
    edit: Callable[[Data], None],
    *,
    expected: int | None = None,
    renamed: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> Change:
    """Change the set-up as the signed-in user; see telephony.configfile.change, ConflictError."""
    offer = services()
    return change(
        offer.engine,
        author(),
        edit,
        now=offer.now(),
        country=offer.settings.country,
        expected=expected,
        renamed=renamed,
        dry_run=dry_run,
    )


def seen_version(text: str | None) -> int:
    """Return the version a form was made from; -1, which nothing ever has, for nonsense."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else -1


def entry_of(data: Data, section: str, key: str) -> Entry:
    """Return the entry of an address; 404 when there is none."""
    try:
        return find(data, section, key)
    except LookupError:
        abort(404)


def error_words(error: ConfigError) -> str:
    """Return in the reader's language why something cannot be so."""
    return error.words(current_language())


def difference_words(difference: Difference) -> str:
    """Return what a difference is about: `group sales`."""
    return {
        "operator": gettext("operator %(key)s", key=difference.key),
        "group": gettext("group %(key)s", key=difference.key),
        "did": gettext("DID %(key)s", key=difference.key),
        "absences of": gettext("absences of %(key)s", key=difference.key),
        "hours": gettext("opening hours %(key)s", key=difference.key),
        "trunk": gettext("trunk %(key)s", key=difference.key),
        "mailbox": gettext("mailbox %(key)s", key=difference.key),
        _CALLBACKS: gettext("callback rules"),
    }.get(difference.what, f"{difference.what} {difference.key}".strip())


def change_words(difference: Difference) -> list[str]:
    """Return the fields of a difference, each as `mobile: +7900… → +7901…`."""
    if difference.what == _CALLBACKS:
        return [_rule_words(field) for field in difference.fields]
    return [_field_words(field) for field in difference.fields]


def entry_words(entry: Entry) -> str:
    """Return an entry of a roster in one line: `101, Mon–Fri, from 09:00, to 18:00`."""
    return ", ".join(f"{key_words(key)} {_value(key, value)}" for key, value in entry.items())


def key_words(key: str) -> str:
    """Return the name of a field of the set-up; one that is unknown stands for itself."""
    return {
        "operator": gettext("operator"),
        "operators": gettext("operators"),
        "days": gettext("days"),
        "start": gettext("from"),
        "end": gettext("to"),
        "from": gettext("from"),
        "to": gettext("to"),
        "lunch": gettext("lunch"),
        "cover": gettext("covered by"),
        "since": gettext("since"),
        "until": gettext("until"),
        "layer": gettext("layer"),
        "turns": gettext("turns"),
        "first": gettext("beginning"),
        "length": gettext("days per turn"),
        "handover": gettext("hand-over"),
        "instead_of": gettext("instead of"),
        "between": gettext("between"),
        "zone": gettext("time zone"),
        "kind": gettext("kind"),
        "extension": gettext("extension"),
        "name": gettext("name"),
        "endpoint": gettext("endpoint"),
        "mobile": gettext("mobile"),
        "deputy": gettext("deputy"),
        "default": gettext("default group"),
        "number": gettext("number"),
        "group": gettext("group"),
        "title": gettext("title"),
        "desk_seconds": gettext("seconds at the desk"),
        "mobile_seconds": gettext("seconds at the mobile"),
        "duty_seconds": gettext("seconds of those on duty"),
        "shifts": gettext("weekly shifts"),
        "rotations": gettext("rotations"),
        "one_offs": gettext("one-off shifts"),
        "overrides": gettext("overrides"),
        "swaps": gettext("swaps"),
        "entries": gettext("absences"),
        "hours": gettext("opening hours"),
        "open": gettext("open"),
        "country": gettext("country"),
        "region": gettext("region"),
        "trunk": gettext("trunk"),
        "template": gettext("template"),
        "email": gettext("e-mail"),
        "pin": gettext("PIN"),
        "greeting": gettext("greeting"),
        "menu": gettext("menu"),
        "closed": gettext("out of hours"),
        "unanswered": gettext("nobody answered"),
        "steps": gettext("steps"),
        "overflow": gettext("group that takes over"),
        "last_operator_days": gettext("days of the last operator"),
        "vip_always": gettext("VIPs out of hours too"),
        "queue": gettext("queue"),
    }.get(key, key)


def days_words(days: str) -> str:
    """Return days of the file's form (`mon-fri,sun`, `daily`) in the reader's language."""
    words = day_words()
    if days == "daily":
        return gettext("daily")
    return ", ".join(
        "–".join(words.get(each.strip(), each) for each in part.split("-"))
        for part in days.split(",")
    )


def day_words() -> dict[str, str]:
    """Return the short names of the days of a week by their names in the file."""
    short = (
        gettext("Mon"),
        gettext("Tue"),
        gettext("Wed"),
        gettext("Thu"),
        gettext("Fri"),
        gettext("Sat"),
        gettext("Sun"),
    )
    return dict(zip(DAYS, short, strict=True))


def expanded(days: str) -> list[str]:
    """Return the names of days of the file's form (`mon-fri,sun`, `daily`), one by one."""
    found: list[str] = []
    for part in ("mon-sun" if days == "daily" else days).split(","):
        first, _, last = part.strip().partition("-")
        if first in DAYS and (last or first) in DAYS:
            begin, end = DAYS.index(first), DAYS.index(last or first)
            found += DAYS[begin : end + 1]
    return found


def saved(done: Change, words: str) -> None:
    """Say on the next page what was done, with a button that takes it back."""
    if done.differences:
        flash(words, f"{UNDO}{done.version}")
    else:
        flash(gettext("Nothing was changed."), "good")


def kind_words(kind: str) -> str:
    """Return why somebody is away."""
    return {
        "vacation": gettext("vacation"),
        "sick": gettext("sick leave"),
        "other": gettext("another reason"),
    }.get(kind, kind)


def _field_words(field: Field) -> str:
    old, new = (_side(field.name, each) for each in (field.old, field.new))
    return f"{key_words(field.name)}: {old} → {new}"


def _rule_words(field: Field) -> str:
    old, new = (
        days_words(value)
        if value and field.name == "quiet.days"
        else value_words(field.name, value) or "—"
        for value in map(str, (field.old, field.new))
    )
    return f"{setting_words(field.name)}: {old} → {new}"


def _side(name: str, value: str | tuple[Entry, ...]) -> str:
    if isinstance(value, str):
        return _value(name, value) if value else "—"
    return "; ".join(map(entry_words, value)) or "—"


def _value(key: str, value: Any) -> str:
    if isinstance(value, list):
        return " → ".join(_value("", each) for each in value) if key == "turns" else _list(value)
    text = str(value)
    if key == "days":
        return days_words(text)
    if key == "kind":
        return kind_words(text)
    known = {
        "everybody": gettext("everybody"),
        "nobody": gettext("nobody"),
        "true": gettext("yes"),
        "false": gettext("no"),
    }
    return known.get(text, text) if key in ("instead_of", "default") else text


def _list(value: list[Any]) -> str:
    return " + ".join(str(each) for each in value) if value else gettext("nobody")
