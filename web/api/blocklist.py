"""The block list: read and changed by the panel's own validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from flask import abort, g

from telephony.accounts import ApiToken, Scope
from telephony.blocking import (
    Objected,
    WrittenBlock,
    audited,
    change_line,
    check_block,
    clients_behind,
    put_on_list,
)
from telephony.domain.blocklist import Blocked
from telephony.store.audit import changes
from telephony.store.blocklist import get_blocked, list_blocked, unblock
from telephony.store.engine import reading, writing
from telephony.store.tables import BIGGEST_KEY
from web.api import clientele, schemas
from web.api.base import reads, refuse, writes
from web.notes import note_by_token
from web.services import services
from web.texts import gettext
from web.wrong import objection_words

_ONE = "/blocklist/<int:line_id>"


@reads("/blocklist", Scope.BLOCKLIST_READ, clientele.BlockedList, clientele.BlockedQuery)
def blocklist(query: Mapping[str, Any]) -> dict[str, Any]:
    """List whose calls are not put through, the latest first."""
    with reading(services().engine) as session:
        page = list_blocked(
            session, limit=query["limit"], offset=query["offset"], search=query.get("q", "")
        )
    return {"items": [_shown(*one) for one in page.items], "total": page.total}


@reads(_ONE, Scope.BLOCKLIST_READ, clientele.OneBlocked, schemas.Empty, one=True)
def one_blocked(query: Mapping[str, Any], line_id: int) -> dict[str, Any]:
    """Show one line."""
    del query
    with reading(services().engine) as session:
        line = None if line_id > BIGGEST_KEY else get_blocked(session, line_id)
    if line is None:
        abort(404)
    return _shown(line_id, line)


@writes(
    "POST",
    "/blocklist",
    Scope.BLOCKLIST_WRITE,
    clientele.OneBlocked,
    clientele.BlockedBody,
    status=201,
    one=False,
)
def block_number(query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Block a number, a beginning of numbers or hidden callers."""
    del query
    offer = services()
    country, now = offer.settings.country, offer.now()
    written = WrittenBlock([body["pattern"]], body["reason"], body["until"])
    with writing(offer.engine) as session:
        patterns, wrong = check_block(session, written, country, now)
        if not wrong and not body["even_clients"] and clients_behind(session, patterns):
            said = gettext("Clients have such numbers: send even_clients to block them, too.")
            refuse({"pattern": [said]})
        put = put_on_list(session, written, country, cast(ApiToken, g.token).name, now)
        for _, line in put.lines:
            note_by_token(session, "blocked.added", line.pattern, **audited(line))
    if put.wrong:
        refuse(_errors(put.wrong))
    return _shown(*put.lines[0])


@writes("PUT", _ONE, Scope.BLOCKLIST_WRITE, clientele.OneBlocked, clientele.BlockedChange)
def change_blocked(
    query: Mapping[str, Any], body: Mapping[str, Any], line_id: int
) -> dict[str, Any]:
    """Give a line another reason and another end."""
    del query
    if line_id > BIGGEST_KEY:
        abort(404)
    offer = services()
    with writing(offer.engine) as session:
        before, put = change_line(session, line_id, body["reason"], body["until"], offer.now())
        if before is not None and not put.wrong and put.lines[0][1] != before:
            changed = changes(audited(before), audited(put.lines[0][1]))
            note_by_token(session, "blocked.changed", before.pattern, **changed)
    if before is None:
        abort(404)
    if put.wrong:
        refuse(_errors(put.wrong))
    return _shown(*put.lines[0])


@writes("DELETE", _ONE, Scope.BLOCKLIST_WRITE, None, status=204)
def unblock_number(query: Mapping[str, Any], line_id: int) -> None:
    """Take a line off the list."""
    del query
    if line_id > BIGGEST_KEY:
        abort(404)
    with writing(services().engine) as session:
        line = get_blocked(session, line_id)
        if line is None or not unblock(session, [line_id]):
            abort(404)
        note_by_token(session, "blocked.removed", line.pattern, **audited(line))


def _shown(line_id: int, line: Blocked) -> dict[str, Any]:
    return {
        "id": line_id,
        "counts": line.holds(services().now()),
        **{name: getattr(line, name) for name in Blocked.__slots__},
    }


def _errors(wrong: Sequence[Objected]) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for one in wrong:
        field = "pattern" if one.field == "patterns" else one.field
        errors.setdefault(field, []).append(objection_words(one.objection, one.value, one.detail))
    return errors
