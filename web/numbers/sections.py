"""The sections of the set-up that have pages here: how an entry is filled in and read back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from telephony.configfile import Entry
from web.edits import expanded
from web.numbers.sheet import Sheet, of_entry
from web.texts import lazy_gettext as _


@dataclass(frozen=True, slots=True)
class Section:
    """One section: its key of the file, its name in addresses, its words.

    `entry` makes an entry of a sheet, `sheet` a sheet of an entry.
    """

    key: str
    address: str
    title: Any
    one: Any
    new: Any
    template: str
    entry: Callable[[Sheet], Entry]
    sheet: Callable[[Entry], Sheet]
    usual: Entry


def _did_entry(sheet: Sheet) -> Entry:
    entry = sheet.entry()
    menu = entry.get("menu")
    if isinstance(menu, dict) and not menu.keys() & {"announcement", "choices"}:
        del entry["menu"]
    for step in list(entry.get("steps", ())):
        # The usual order of ringing alone is no setting: one would keep a queue from ringing.
        if entry["steps"][step] == {"strategy": "all"}:
            del entry["steps"][step]
    if not entry.get("steps"):
        entry.pop("steps", None)
    for kind in ("closed", "unanswered"):
        action = entry.get(kind)
        if isinstance(action, dict):
            _only_what_fits(action)
    return entry


def _only_what_fits(action: Entry) -> None:
    """Leave out what is filled in for another action: its inputs are hidden."""
    kind = action.get("action")
    for key, owner in (("mailbox", "voicemail"), ("number", "number"), ("trunk", "number"),
                       ("seconds", "number")):  # fmt: skip
        if kind != owner:
            action.pop(key, None)


def _hours_entry(sheet: Sheet) -> Entry:
    for name in [name for name in sheet.values if name.startswith("days.")]:
        row = name.rpartition(".")[0]
        # What a day is like decides which of its inputs counts.
        kind = sheet.values.get(f"{row}.is", "")
        if name.endswith(".open") and kind != "open":
            sheet.values[name] = ""
        if name.endswith(".like") and kind != "like":
            sheet.values[name] = ""
    entry = sheet.entry(("open", "days"), but=".is")
    for day in entry.get("days", ()):
        if "open" in day:
            day["open"] = [part.strip() for part in day["open"].split(",") if part.strip()]
    return entry


def _hours_sheet(entry: Entry) -> Sheet:
    sheet = of_entry(entry)
    for place, opening in enumerate(entry.get("open", ())):
        sheet.values[f"open.{place}.days"] = ",".join(expanded(opening["days"]))
        if opening["end"] == "24:00":  # what browsers call midnight
            sheet.values[f"open.{place}.end"] = "00:00"
    for place, day in enumerate(entry.get("days", ())):
        kind = "open" if "open" in day else "like" if "like" in day else "closed"
        sheet.values[f"days.{place}.is"] = kind
    return sheet


def _plain(sheet: Sheet) -> Entry:
    return sheet.entry()


SECTIONS = {
    one.address: one
    for one in (
        Section(
            "dids", "numbers", _("Numbers"), _("Number %(key)s"), _("New number"),
            "numbers/did.html", _did_entry, of_entry, {},
        ),
        Section(
            "hours", "hours", _("Opening hours"), _("Opening hours %(key)s"),
            _("New opening hours"), "numbers/hours.html", _hours_entry, _hours_sheet,
            {"open": [{"days": "mon-fri", "start": "09:00", "end": "18:00"}]},
        ),
        Section(
            "trunks", "trunks", _("Trunks"), _("Trunk %(key)s"), _("New trunk"),
            "numbers/trunk.html", _plain, of_entry, {"template": "{digits}"},
        ),
        Section(
            "mailboxes", "mailboxes", _("Mailboxes"), _("Mailbox %(key)s"),
            _("New mailbox"), "numbers/mailbox.html", _plain, of_entry, {},
        ),
    )
}  # fmt: skip
