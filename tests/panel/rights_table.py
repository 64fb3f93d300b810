"""Who may open what, written down by hand: a new route needs a line here, or a test fails.

This is what the panel should do, not what it says of itself: never fill it in from the code.
"""

from __future__ import annotations

from telephony.accounts import Role, Scope

PUBLIC = "public"
ADMIN = frozenset({Role.ADMIN})
LEADERS = frozenset({Role.ADMIN, Role.SUPERVISOR})
ALL = frozenset({Role.ADMIN, Role.SUPERVISOR, Role.OPERATOR})

Right = str | frozenset[Role] | Scope

# Endpoint and method → everybody, the roles that may, or the scope a token needs.
RIGHTS: dict[tuple[str, str], Right] = {
    ("static", "GET"): PUBLIC,
    ("home.index", "GET"): ALL,
    ("calls.index", "GET"): ALL,
    ("calls.show", "GET"): ALL,
    ("calls.export", "GET"): ALL,
    ("clients.index", "GET"): ALL,
    ("clients.show", "GET"): ALL,
    ("clients.add", "GET"): LEADERS,
    ("clients.add", "POST"): LEADERS,
    ("clients.edit", "GET"): LEADERS,
    ("clients.edit", "POST"): LEADERS,
    ("clients.delete", "GET"): LEADERS,
    ("clients.delete", "POST"): LEADERS,
    ("clients.bring", "GET"): LEADERS,
    ("clients.bring", "POST"): LEADERS,
    ("clients.export", "GET"): LEADERS,
    ("announcements.index", "GET"): LEADERS,
    ("announcements.sound", "GET"): LEADERS,
    ("announcements.add", "GET"): ADMIN,
    ("announcements.add", "POST"): ADMIN,
    ("announcements.edit", "GET"): ADMIN,
    ("announcements.edit", "POST"): ADMIN,
    ("announcements.delete", "GET"): ADMIN,
    ("announcements.delete", "POST"): ADMIN,
    ("blocked.index", "GET"): LEADERS,
    ("blocked.add", "GET"): LEADERS,
    ("blocked.add", "POST"): LEADERS,
    ("blocked.delete", "GET"): LEADERS,
    ("blocked.delete", "POST"): LEADERS,
    ("blocked.export", "GET"): LEADERS,
    ("operators.index", "GET"): ALL,
    ("operators.show", "GET"): ALL,
    ("explain.index", "GET"): LEADERS,
    ("calendars.index", "GET"): LEADERS,
    ("calendars.add", "GET"): LEADERS,
    ("calendars.add", "POST"): LEADERS,
    ("calendars.show", "GET"): LEADERS,
    ("calendars.use", "POST"): LEADERS,
    ("calendars.stop", "POST"): LEADERS,
    ("calendars.renew", "POST"): LEADERS,
    ("calendars.replace_file", "POST"): LEADERS,
    ("calendars.remove", "POST"): LEADERS,
    ("calendars.links", "GET"): LEADERS,
    ("calendars.share", "POST"): ALL,
    ("calendars.unshare", "POST"): ALL,
    ("duty_feed.calendar", "GET"): PUBLIC,
    # An operator only their own: tests/panel/test_switches.py.
    ("switches.pause", "POST"): ALL,
    ("switches.closed", "GET"): LEADERS,
    ("switches.close", "POST"): LEADERS,
    ("rosters.index", "GET"): ALL,
    ("rosters.show", "GET"): ALL,
    ("rosters.absences", "GET"): ALL,
    ("rosters.slot", "GET"): LEADERS,
    ("rosters.take", "POST"): LEADERS,
    ("rosters.add", "GET"): LEADERS,
    ("rosters.add", "POST"): LEADERS,
    ("rosters.edit", "GET"): LEADERS,
    ("rosters.edit", "POST"): LEADERS,
    ("rosters.remove", "POST"): LEADERS,
    ("rosters.add_absence", "GET"): LEADERS,
    ("rosters.add_absence", "POST"): LEADERS,
    ("rosters.edit_absence", "GET"): LEADERS,
    ("rosters.edit_absence", "POST"): LEADERS,
    ("rosters.remove_absence", "POST"): LEADERS,
    ("changes.index", "GET"): LEADERS,
    ("changes.show", "GET"): LEADERS,
    ("changes.take_back", "POST"): LEADERS,
    ("health.index", "GET"): LEADERS,
    ("style.index", "GET"): ALL,
    ("auth.sign_in", "GET"): PUBLIC,
    ("auth.sign_in", "POST"): PUBLIC,
    ("auth.code", "GET"): PUBLIC,
    ("auth.code", "POST"): PUBLIC,
    ("auth.language", "POST"): PUBLIC,
    ("auth.sign_out", "POST"): ALL,
    ("profile.index", "GET"): ALL,
    ("profile.index", "POST"): ALL,
    ("profile.theme", "POST"): ALL,
    ("profile.password", "GET"): ALL,
    ("profile.password", "POST"): ALL,
    ("profile.sign_out_elsewhere", "POST"): ALL,
    ("profile.totp", "GET"): ALL,
    ("profile.totp", "POST"): ALL,
    ("profile.totp_off", "GET"): ALL,
    ("profile.totp_off", "POST"): ALL,
    ("profile.codes", "GET"): ALL,
    ("profile.codes", "POST"): ALL,
    ("users.index", "GET"): ADMIN,
    ("users.add", "GET"): ADMIN,
    ("users.add", "POST"): ADMIN,
    ("users.edit", "GET"): ADMIN,
    ("users.edit", "POST"): ADMIN,
    ("users.set_active", "POST"): ADMIN,
    ("users.reset_password", "POST"): ADMIN,
    ("tokens.index", "GET"): ADMIN,
    ("tokens.add", "GET"): ADMIN,
    ("tokens.add", "POST"): ADMIN,
    ("tokens.revoke", "POST"): ADMIN,
    ("audit.index", "GET"): ADMIN,
    ("probes.healthz", "GET"): PUBLIC,
    ("probes.readyz", "GET"): PUBLIC,
    # By address or by a token with metrics:read: tests/panel/test_health.py.
    ("metrics.metrics", "GET"): PUBLIC,
    ("api_document.reference", "GET"): PUBLIC,
    ("api_document.openapi", "GET"): PUBLIC,
    ("api.calls", "GET"): Scope.CALLS_READ,
    ("api.one_call", "GET"): Scope.CALLS_READ,
    ("api.live_calls", "GET"): Scope.CALLS_READ,
    ("api.clients", "GET"): Scope.CLIENTS_READ,
    ("api.one_client", "GET"): Scope.CLIENTS_READ,
    ("api.add_client", "POST"): Scope.CLIENTS_WRITE,
    ("api.replace_client", "PUT"): Scope.CLIENTS_WRITE,
    ("api.change_client", "PATCH"): Scope.CLIENTS_WRITE,
    ("api.delete_client", "DELETE"): Scope.CLIENTS_WRITE,
    ("api.blocklist", "GET"): Scope.BLOCKLIST_READ,
    ("api.one_blocked", "GET"): Scope.BLOCKLIST_READ,
    ("api.block_number", "POST"): Scope.BLOCKLIST_WRITE,
    ("api.change_blocked", "PUT"): Scope.BLOCKLIST_WRITE,
    ("api.unblock_number", "DELETE"): Scope.BLOCKLIST_WRITE,
    ("api.operators", "GET"): Scope.OPERATORS_READ,
    ("api.one_operator", "GET"): Scope.OPERATORS_READ,
    ("api.events", "GET"): Scope.EVENTS_READ,
}


def closed_to(role: Role) -> list[tuple[str, str]]:
    """Return the endpoints and methods that a signed-in user of this role must not reach."""
    return [
        place
        for place, right in RIGHTS.items()
        if isinstance(right, frozenset) and role not in right
    ]
