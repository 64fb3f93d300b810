"""The panel's words for codes of accounts, processes and the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telephony.accounts import Role, Scope
from telephony.accounts.passwords import LONGEST, SHORTEST
from telephony.accounts.users import Problem
from telephony.domain.announcements import CALLBACK
from telephony.domain.callback.cases import Ending
from telephony.domain.directory import Stage
from telephony.notify import say_event
from telephony.words import say
from web.i18n import current_language
from web.texts import gettext


def role_words(role: Role) -> str:
    """Return the name of a role."""
    return {
        Role.ADMIN: gettext("administrator"),
        Role.SUPERVISOR: gettext("supervisor"),
        Role.OPERATOR: gettext("operator"),
    }[role]


def role_about(role: Role) -> str:
    """Return what a role may do."""
    return {
        Role.ADMIN: gettext("Everything, with users and API tokens."),
        Role.SUPERVISOR: gettext(
            "All calls, clients and operators, the health of the service; changes rosters."
        ),
        Role.OPERATOR: gettext("Own calls, the lists of clients and operators."),
    }[role]


def scope_words(scope: Scope) -> str:
    """Return what a scope allows."""
    return {
        Scope.CALLS_READ: gettext("read calls"),
        Scope.CLIENTS_READ: gettext("read clients"),
        Scope.CLIENTS_WRITE: gettext("change clients"),
        Scope.BLOCKLIST_READ: gettext("read the block list"),
        Scope.BLOCKLIST_WRITE: gettext("change the block list"),
        Scope.OPERATORS_READ: gettext("read operators and duty"),
        Scope.SWITCHES_READ: gettext("read pauses and “closed now”"),
        Scope.SWITCHES_WRITE: gettext("set pauses and “closed now”"),
        Scope.CALLBACKS_READ: gettext("read callbacks"),
        Scope.CALLBACKS_WRITE: gettext("ask for callbacks and change them"),
        Scope.SETUP_READ: gettext("read the set-up, ask who gets a call"),
        Scope.SETUP_WRITE: gettext("change the set-up"),
        Scope.NOTICES_READ: gettext("read who is told of what"),
        Scope.NOTICES_WRITE: gettext("change who is told of what"),
        Scope.EVENTS_READ: gettext("read events"),
        Scope.METRICS_READ: gettext("read metrics"),
    }[scope]


def problem_words(problem: Problem) -> str:
    """Return why an account cannot be so, and what to do."""
    return {
        Problem.LOGIN_FORM: gettext("Use 2 to 60 letters, digits and . @ + - _"),
        Problem.LOGIN_TAKEN: gettext("This login is taken: choose another."),
        Problem.NAME_EMPTY: gettext("Enter a name."),
        Problem.EXTENSION_FORM: gettext("An extension has 2 to 10 digits."),
        Problem.PASSWORD_SHORT: gettext("Use at least %(count)d characters.", count=SHORTEST),
        Problem.PASSWORD_LONG: gettext("Use at most %(count)d characters.", count=LONGEST),
        Problem.PASSWORD_GUESSED: gettext("This password is too easy to guess."),
        Problem.LAST_ADMIN: gettext(
            "This is the last active administrator: make another one first."
        ),
    }[problem]


def field_words(name: str) -> str:
    """Return the name of a field of whatever is changed; an unknown one stands for itself."""
    return {
        "role": gettext("role"),
        "name": gettext("name"),
        "extension": gettext("extension"),
        "scopes": gettext("it may"),
        "second_factor_kept": gettext("second step kept"),
        "phones": gettext("numbers"),
        "stage": gettext("stage"),
        "manager": gettext("account manager"),
        "sales_manager": gettext("sales manager"),
        "deputy": gettext("deputy"),
        "vip": "VIP",
        "notes": gettext("notes"),
        "added": gettext("added"),
        "updated": gettext("changed"),
        "numbers_removed": gettext("numbers removed"),
        "found": gettext("found by"),
        "reason": gettext("reason"),
        "until": gettext("until"),
        "owner": gettext("whose"),
        "place": gettext("from where"),
        "token": gettext("API token"),
        "pause": gettext("pause"),
        "case": gettext("case"),
        "operator": gettext("operator"),
        "at": gettext("at"),
        "ending": gettext("how it ended"),
        "title": gettext("title"),
        "origins": gettext("addresses of the site"),
        "did": gettext("number called"),
        "language": gettext("language"),
        "enabled": gettext("switched on"),
        "site_hour": gettext("requests in an hour"),
        "address_hour": gettext("in an hour from one address"),
        "number_hour": gettext("in an hour for one number"),
        "events": gettext("told of"),
        "zone": gettext("time zone"),
        "recipients": gettext("recipients"),
    }.get(name, name)


def place_words(place: str) -> str:
    """Return what plays an announcement, by a code of `domain.announcements.places_of`."""
    return {
        "greeting": gettext("greeting"),
        "menu": gettext("menu"),
        "closed": gettext("out of hours"),
        "unanswered": gettext("nobody answered"),
        CALLBACK: gettext("greeting of callbacks"),
    }.get(place, gettext("before a step"))


def action_words(action: str) -> str:
    """Return what a line of the audit log says was done; an unknown code stands for itself."""
    return {
        "signin.done": gettext("signed in"),
        "signin.refused": gettext("wrong password"),
        "signin.code_refused": gettext("wrong code"),
        "signin.ended": gettext("signed out"),
        "user.added": gettext("added a user"),
        "user.changed": gettext("changed a user"),
        "user.disabled": gettext("disabled a user"),
        "user.enabled": gettext("enabled a user"),
        "user.password_set": gettext("set a password"),
        "profile.changed": gettext("changed own profile"),
        "profile.password_changed": gettext("changed own password"),
        "profile.totp_on": gettext("switched the second step on"),
        "profile.totp_off": gettext("switched the second step off"),
        "profile.codes_renewed": gettext("made new recovery codes"),
        "profile.signed_out_elsewhere": gettext("signed out everywhere else"),
        "token.added": gettext("made an API token"),
        "token.revoked": gettext("revoked an API token"),
        "calendar.added": gettext("added a calendar"),
        "calendar.used": gettext("put a calendar to use"),
        "calendar.stopped": gettext("stopped using a calendar"),
        "calendar.replaced": gettext("replaced a calendar's file"),
        "calendar.removed": gettext("deleted a calendar"),
        "calendar.shared": gettext("made a link to a calendar of duty"),
        "calendar.unshared": gettext("revoked a link to a calendar of duty"),
        "setup.added": gettext("added to the set-up"),
        "setup.changed": gettext("changed the set-up"),
        "setup.removed": gettext("removed from the set-up"),
        "client.added": gettext("added a client"),
        "client.changed": gettext("changed a client"),
        "client.deleted": gettext("deleted a client"),
        "clients.imported": gettext("imported clients"),
        "clients.exported": gettext("exported clients"),
        "announcement.added": gettext("uploaded an announcement"),
        "announcement.replaced": gettext("replaced an announcement"),
        "announcement.renamed": gettext("renamed an announcement"),
        "announcement.removed": gettext("deleted an announcement"),
        "blocked.added": gettext("blocked a number"),
        "blocked.changed": gettext("changed a line of the block list"),
        "blocked.removed": gettext("unblocked a number"),
        "operator.paused": gettext("set a pause"),
        "callback.asked": gettext("asked for a callback"),
        "site.added": gettext("added a web site with a callback button"),
        "site.changed": gettext("changed a web site with a callback button"),
        "site.removed": gettext("deleted a web site with a callback button"),
        "notice.added": gettext("added a notice by e-mail"),
        "notice.changed": gettext("changed a notice by e-mail"),
        "notice.removed": gettext("deleted a notice by e-mail"),
        "webhook.added": gettext("added a webhook"),
        "webhook.changed": gettext("changed a webhook"),
        "webhook.paused": gettext("paused a webhook"),
        "webhook.enabled": gettext("switched a webhook on again"),
        "webhook.removed": gettext("deleted a webhook"),
        "delivery.retried": gettext("had something sent once more"),
        "switch.closed": gettext("closed by hand"),
        "switch.open": gettext("opened again by hand"),
        "callback.called": gettext("ordered a call"),
        "callback.claimed": gettext("took or gave a missed call"),
        "callback.returned": gettext("gave a missed call back"),
        "callback.scheduled": gettext("agreed on the time of a call"),
        "callback.closed": gettext("closed a missed call"),
        "callbacks.stopped": gettext("stopped all callbacks"),
        "callbacks.resumed": gettext("let callbacks go on"),
        "optout.added": gettext("noted that a number is not called"),
        "optout.removed": gettext("let a number be called again"),
    }.get(action, action)


def detail_words(details: Mapping[str, Any]) -> list[str]:
    """Return what a line of the audit log says besides; what is unknown stands for itself."""
    return [f"{field_words(name)}: {_value(name, value)}" for name, value in details.items()]


def _value(name: str, value: Any) -> str:
    if isinstance(value, dict) and value.keys() == {"old", "new"}:
        return f"{_value(name, value['old'])} → {_value(name, value['new'])}"
    if isinstance(value, list | tuple):
        return ", ".join(_value(name, one) for one in value)
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if name == "role" and value in set(Role):
        return role_words(Role(value))
    if name == "ending" and value in set(Ending):
        return say(Ending(value), current_language())
    if name == "stage" and value in set(Stage):
        return say(Stage(value), current_language())
    if name == "scopes" and value in set(Scope):
        return scope_words(Scope(value))
    if name == "events":
        return say_event(str(value), current_language())
    return str(value)


ACTIONS = (
    "signin.done",
    "signin.refused",
    "signin.code_refused",
    "signin.ended",
    "user.added",
    "user.changed",
    "user.disabled",
    "user.enabled",
    "user.password_set",
    "profile.changed",
    "profile.password_changed",
    "profile.totp_on",
    "profile.totp_off",
    "profile.codes_renewed",
    "profile.signed_out_elsewhere",
    "token.added",
    "token.revoked",
    "calendar.added",
    "calendar.used",
    "calendar.stopped",
    "calendar.replaced",
    "calendar.removed",
    "calendar.shared",
    "calendar.unshared",
    "setup.added",
    "setup.changed",
    "setup.removed",
    "client.added",
    "client.changed",
    "client.deleted",
    "clients.imported",
    "clients.exported",
    "announcement.added",
    "announcement.replaced",
    "announcement.renamed",
    "announcement.removed",
    "blocked.added",
    "blocked.changed",
    "blocked.removed",
    "operator.paused",
    "callback.asked",
    "site.added",
    "site.changed",
    "site.removed",
    "notice.added",
    "notice.changed",
    "notice.removed",
    "webhook.added",
    "webhook.changed",
    "webhook.paused",
    "webhook.enabled",
    "webhook.removed",
    "delivery.retried",
    "switch.closed",
    "switch.open",
    "callback.called",
    "callback.claimed",
    "callback.returned",
    "callback.scheduled",
    "callback.closed",
    "callbacks.stopped",
    "callbacks.resumed",
    "optout.added",
    "optout.removed",
)
