"""The stream of events for integrators that poll."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telephony.accounts import Scope
from telephony.store.engine import reading
from telephony.store.facts import facts_after
from web.api import schemas
from web.api.base import reads
from web.services import services


@reads("/events", Scope.EVENTS_READ, schemas.EventList, schemas.EventsQuery)
def events(query: Mapping[str, Any]) -> dict[str, Any]:
    """List events after one, oldest first.

    Ask again with `after` set to `next`. An event may come twice under one key: at least once.
    `total` counts those that wait, up to 10,000. Events are kept as long as the setting of facts
    says; whoever stays away for longer misses some.
    """
    with reading(services().engine) as session:
        found = facts_after(session, query["after"], query.get("kind"), query["limit"])
    items = [
        {
            "id": fact.id,
            "kind": fact.kind,
            "key": fact.key,
            "at": fact.created_at,
            "payload": fact.payload,
        }
        for fact in found.items
    ]
    return {"items": items, "total": found.total, "next": found.next}
