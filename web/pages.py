"""What every page has: the menu, the version, and small helpers of lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, request

from telephony import __version__
from web.i18n import NAMES, current_language
from web.rights import may_open, optional_user
from web.texts import lazy_gettext

PER_PAGE = 50

_LAST_PAGE = 1_000_000
_PAGE_DIGITS = 7


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the menu: where it leads, its icon (see assets.toml) and its words."""

    endpoint: str
    icon: str
    words: Any


# Groups of the menu. An entry shows when its area exists and the user may open it; a page of the
# same blueprint counts as being there.
MENU: tuple[tuple[Any, tuple[Entry, ...]], ...] = (
    (
        lazy_gettext("Work"),
        (
            Entry("home.index", "home", lazy_gettext("Overview")),
            Entry("calls.index", "phone-call", lazy_gettext("Calls")),
            Entry("cases.index", "phone-x", lazy_gettext("Missed calls")),
            Entry("clients.index", "address-book", lazy_gettext("Clients")),
            Entry("blocked.index", "hand-stop", lazy_gettext("Block list")),
            Entry("operators.index", "headset", lazy_gettext("Operators")),
            Entry("rosters.index", "calendar-week", lazy_gettext("Duty")),
            Entry("switches.closed", "clock", lazy_gettext("Closed now")),
        ),
    ),
    (
        lazy_gettext("Set-up"),
        (
            Entry("explain.index", "route", lazy_gettext("Who gets a call")),
            Entry("setup.index", "settings", lazy_gettext("Operators and groups")),
            Entry("numbers.index", "phone-incoming", lazy_gettext("Numbers")),
            Entry("queues.index", "list", lazy_gettext("Queues")),
            Entry("callbackrules.index", "phone-outgoing", lazy_gettext("Callback rules")),
            Entry("sites.index", "world", lazy_gettext("Web sites")),
            Entry("notices.index", "bell", lazy_gettext("Notices and webhooks")),
            Entry("announcements.index", "volume", lazy_gettext("Announcements")),
            Entry("calendars.index", "calendar-event", lazy_gettext("Calendars")),
            Entry("changes.index", "arrow-back-up", lazy_gettext("Changes")),
        ),
    ),
    (
        lazy_gettext("Administration"),
        (
            Entry("health.index", "activity-heartbeat", lazy_gettext("Health")),
            Entry("users.index", "users", lazy_gettext("Users")),
            Entry("tokens.index", "key", lazy_gettext("API tokens")),
            Entry("audit.index", "history", lazy_gettext("Audit log")),
            Entry("settings.index", "settings", lazy_gettext("Settings")),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Paging:
    """One page of a list: `number` counts from 1; `total` are all items."""

    number: int
    per_page: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.per_page))

    @property
    def offset(self) -> int:
        """How many items stand before this page."""
        return (self.number - 1) * self.per_page

    @property
    def first(self) -> int:
        """The place of the first item on this page, from 1; 0 when there is none."""
        return self.offset + 1 if self.total else 0

    @property
    def last(self) -> int:
        """The place of the last item on this page."""
        return min(self.offset + self.per_page, self.total)

    def shown(self) -> list[int | None]:
        """Return the numbers to show; None stands for a gap."""
        near = {1, 2, self.pages - 1, self.pages, *range(self.number - 1, self.number + 2)}
        numbers = sorted(number for number in near if 1 <= number <= self.pages)
        found: list[int | None] = []
        for number in numbers:
            if found and found[-1] is not None and number > found[-1] + 1:
                found.append(None)
            found.append(number)
        return found


def page_number() -> int:
    """Return the page asked for by `?page=`, 1 for anything that is no number."""
    text = request.args.get("page", "1").lstrip("0")
    if not (text.isascii() and text.isdigit()):
        return 1
    return (
        int(text) if len(text) < _PAGE_DIGITS else _LAST_PAGE
    )  # int() refuses thousands of digits


def address_with(**changes: Any) -> str:
    """Return this page's address with some arguments changed; None removes one."""
    # Not by url_for: an argument may have the name of one of its own, such as endpoint.
    values: dict[str, Any] = request.args.to_dict(flat=False)
    for name, value in changes.items():
        if value is None:
            values.pop(name, None)
        else:
            values[name] = value
    return f"{request.path}?{urlencode(values, doseq=True)}" if values else request.path


def menu() -> list[tuple[Any, list[Entry]]]:
    """Return the groups of the menu with what this user may open."""
    if optional_user() is None:
        return []
    views = current_app.view_functions
    shown = [
        (words, [one for one in entries if one.endpoint in views and may_open(one.endpoint)])
        for words, entries in MENU
    ]
    return [(words, entries) for words, entries in shown if entries]


def set_up(app: Flask) -> None:
    """Give templates what every page needs."""

    @app.context_processor
    def common() -> dict[str, Any]:
        return {
            "menu": menu,
            "user": optional_user(),
            "version": __version__,
            "language": current_language(),
            "languages": NAMES,
        }

    app.jinja_env.globals.update(address_with=address_with, may_open=may_open)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
