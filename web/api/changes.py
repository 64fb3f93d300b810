"""The history of the set-up, and taking changes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telephony.accounts import Scope
from telephony.configfile import Difference, undo
from telephony.store.engine import reading
from telephony.store.revisions import list_revisions
from web.api import schemas, setupshapes
from web.api.base import reads, writes
from web.api.changing import made, told, told_differences
from web.services import services


@reads("/setup/changes", Scope.SETUP_READ, setupshapes.ChangeList, schemas.Paged)
def setup_changes(query: Mapping[str, Any]) -> dict[str, Any]:
    """List the changes of the set-up, newest first; the last 500 are kept."""
    with reading(services().engine) as session:
        found, total = list_revisions(session, limit=query["limit"], offset=query["offset"])
    return {
        "items": [
            {
                "version": one.version,
                "at": one.at,
                "actor": one.actor,
                "undid": one.undid,
                "differences": told_differences(map(Difference.from_json, one.differences)),
            }
            for one in found
        ],
        "total": total,
    }


@writes(
    "POST",
    "/setup/changes/<int:version>/undo",
    Scope.SETUP_WRITE,
    setupshapes.Changed,
    query=setupshapes.UndoQuery,
)
def undo_setup_change(query: Mapping[str, Any], version: int) -> dict[str, Any]:
    """Put the set-up back as it was before a change; all later ones are taken back with it.

    With `dry_run` nothing is changed: the answer says what would be.
    """
    offer = services()
    done = made(
        lambda author: undo(
            offer.engine,
            author,
            version,
            now=offer.now(),
            expected=query.get("expected"),
            dry_run=query["dry_run"],
        )
    )
    return told(done, dry_run=query["dry_run"])
