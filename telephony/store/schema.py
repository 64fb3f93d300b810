"""All tables of Dutyline: importing this module fills `metadata`."""

from telephony.store import (
    accounts,
    audit,
    blocklist,
    calendars,
    calls,
    clients,
    cursors,
    deliveries,
    directory,
    lanes,
    live,
    names,
    notices,
    outbox,
    revisions,
    setup,
    webhooks,
)
from telephony.store.tables import metadata

__all__ = [
    "accounts",
    "audit",
    "blocklist",
    "calendars",
    "calls",
    "clients",
    "cursors",
    "deliveries",
    "directory",
    "lanes",
    "live",
    "metadata",
    "names",
    "notices",
    "outbox",
    "revisions",
    "setup",
    "webhooks",
]
