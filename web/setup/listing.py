"""The overview of the set-up, and the list of each of its sections."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from telephony.accounts import Role
from telephony.configfile import SECTIONS
from telephony.domain.setup import Setup
from telephony.store.announcements import list_announcements
from telephony.store.clients import count_clients
from telephony.store.engine import reading
from telephony.store.setup import load_setup
from web.cleaning import visible
from web.pages import PER_PAGE, Paging, page_number
from web.rights import allow
from web.services import services
from web.setup.area import blueprint
from web.setup.sections import SHOWN
from web.texts import gettext

# A cell of a list: a heading, and for an entry what stands under it.
Row = tuple[str, list[str]]


@blueprint.get("")
@allow(Role.ADMIN)
def index() -> str:
    """Show what there is, in the order in which it is set up from nothing."""
    with reading(services().engine) as session:
        setup = load_setup(session)
        clients = count_clients(session)
        announcements = len(list_announcements(session))
    counts = {name: len(getattr(setup, name)) for name in SECTIONS} | {
        "rosters": sum(bool(group.roster.named) for group in setup.groups.values()),
        "queues": sum(group.queue is not None for group in setup.groups.values()),
        "clients": clients,
        "announcements": announcements,
    }
    return render_template("setup/index.html", sections=SHOWN.values(), counts=counts)


def _list(name: str) -> str:
    section = SHOWN[name]
    with reading(services().engine) as session:
        setup = load_setup(session)
    head, rows = _TABLES[name](setup)
    text = request.args.get("q", "").strip()[:100]
    if text:
        wanted = text.casefold()
        rows = [row for row in rows if any(wanted in one.casefold() for one in (row[0], *row[1]))]
    number = page_number()
    paging = Paging(number, PER_PAGE, len(rows))
    return render_template(
        "setup/list.html",
        section=section,
        sections=SHOWN.values(),
        head=head,
        heads=[(words, "") for words in head],
        rows=rows[paging.offset : paging.offset + PER_PAGE],
        q=text,
        paging=paging,
    )


@blueprint.get("/operators")
@allow(Role.ADMIN)
def operators() -> str:
    """List operators."""
    return _list("operators")


@blueprint.get("/groups")
@allow(Role.ADMIN)
def groups() -> str:
    """List groups."""
    return _list("groups")


def _operators(setup: Setup) -> tuple[list[str], list[Row]]:
    def named(extension: str | None) -> str:
        known = setup.operators.get(extension or "")
        return f"{visible(known.name)} ({extension})" if known else ""

    rows = [
        (one.extension, [visible(one.name), one.endpoint, one.mobile or "", named(one.deputy)])
        for one in sorted(setup.operators.values(), key=lambda one: one.extension)
    ]
    head = [gettext("Extension"), gettext("Name"), gettext("Endpoint"), gettext("Mobile")]
    return [*head, gettext("Deputy")], rows


def _groups(setup: Setup) -> tuple[list[str], list[Row]]:
    rows = [
        (
            name,
            [
                group.roster.zone,
                str(len(group.roster.named)),
                group.queue.name if group.queue else "",
                visible(group.hours or ""),
                gettext("yes") if name == setup.default_group else "",
            ],
        )
        for name, group in setup.groups.items()
    ]
    head = [gettext("Name"), gettext("Time zone"), gettext("Operators"), gettext("Queue")]
    return [*head, gettext("Opening hours"), gettext("Default")], rows


_TABLES: dict[str, Any] = {
    "operators": _operators,
    "groups": _groups,
}
