"""The rules of callbacks: read, and put as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telephony.accounts import Scope
from telephony.configfile import CALLBACKS, ChangedError, Data, callbacks_entry, fingerprint
from telephony.domain.callback.rules import CallbackRules
from telephony.store.callback_rules import load_callback_rules, rules_to_json
from telephony.store.engine import reading
from web.api import callbackshapes, schemas, setupshapes
from web.api.base import reads, writes
from web.api.changing import change_setup, told
from web.services import services


@reads("/callback-rules", Scope.SETUP_READ, callbackshapes.StoredRules, schemas.Empty)
def callback_rules(query: Mapping[str, Any]) -> dict[str, Any]:
    """Give the rules of callbacks: all of them, also those that are as usual."""
    del query
    with reading(services().engine) as session:
        rules = load_callback_rules(session)
    return {"version": fingerprint(callbacks_entry(rules)), "rules": _told(rules)}


@writes(
    "PUT",
    "/callback-rules",
    Scope.SETUP_WRITE,
    setupshapes.Changed,
    callbackshapes.RulesBody,
    query=setupshapes.DryRunQuery,
)
def put_callback_rules(query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Make the rules of callbacks what is sent; what is not sent is as usual.

    With `dry_run` nothing is changed: the answer says what would be.
    """
    seen = body.get("version")

    def edit(data: Data) -> None:
        if seen is not None and fingerprint(data[CALLBACKS]) != seen:
            raise ChangedError
        data[CALLBACKS] = _read(body["rules"])

    done = change_setup(edit, None, dry_run=query["dry_run"])
    return told(done, dry_run=query["dry_run"])


def _told(rules: CallbackRules) -> dict[str, Any]:
    """Return the rules with numbers as numbers, but days as the file has them."""
    value = rules_to_json(rules)
    value["quiet"]["days"] = callbacks_entry(rules, None)["quiet"]["days"]
    return value | {"automatic": rules.automatic, "first": rules.first, "shown": rules.shown}


def _read(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was sent as the file has it: days that are none are not there."""
    quiet = sent.get("quiet")
    if isinstance(quiet, dict) and quiet.get("days") == "":
        return {**sent, "quiet": {**quiet, "days": None}}
    return dict(sent)
