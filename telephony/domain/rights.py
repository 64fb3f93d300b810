"""Who may do what: the roles of people and the scopes of API tokens."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a user of the panel is: an admin may do everything, an operator sees their own calls."""

    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"


class Scope(StrEnum):
    """What a token of the API may read or change."""

    CALLS_READ = "calls:read"
    CLIENTS_READ = "clients:read"
    CLIENTS_WRITE = "clients:write"
    BLOCKLIST_READ = "blocklist:read"
    BLOCKLIST_WRITE = "blocklist:write"
    OPERATORS_READ = "operators:read"
    SWITCHES_READ = "switches:read"
    SWITCHES_WRITE = "switches:write"
    SETUP_READ = "setup:read"
    SETUP_WRITE = "setup:write"
    NOTICES_READ = "notices:read"
    NOTICES_WRITE = "notices:write"
    CALLBACKS_READ = "callbacks:read"
    CALLBACKS_WRITE = "callbacks:write"
    EVENTS_READ = "events:read"
    METRICS_READ = "metrics:read"
