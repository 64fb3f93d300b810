"""What `dutyline doctor` says of callbacks: may their manager user place calls, and no more?"""

from __future__ import annotations

from collections.abc import Iterator

from telephony.ami import actions
from telephony.ami.client import AmiAddress, AmiError, LoginRefused
from telephony.ami.oneshot import OneShot
from telephony.ami.oneshot import session as ami_session
from telephony.cli.findings import Finding, failed, ok, warning
from telephony.domain.orders import channel_ids

_AGAIN = (
    "run `dutyline pbx-config --again` with the files' folder, then "
    "`asterisk -rx 'manager reload'`; until then nobody is called back"
)
# An order that never was: what the PBX says of it tells whether it may be asked.
_NO_ORDER, _ = channel_ids(0, 10**9)


def check_dialler(address: AmiAddress | None) -> Iterator[Finding]:
    """Can the user who places callbacks log in, place calls, ask of them, and nothing else?"""
    if address is None:
        return  # that the settings have no secret is told by the login
    try:
        with ami_session(address) as pbx:
            yield from _check_rights(pbx, address.user)
    except LoginRefused as error:
        yield failed(
            f"Asterisk refused user {address.user}, who places callbacks ({error})", _AGAIN
        )
    except AmiError as error:
        yield failed(
            f"user {address.user}, who places callbacks, was not answered: {error}", _AGAIN
        )


def _check_rights(pbx: OneShot, user: str) -> Iterator[Finding]:
    may_not = [
        what
        for what, fields in (
            ("place calls", actions.ORIGINATE_PROBE),
            ("ask what became of them", actions.fence(_NO_ORDER)),
        )
        if _is_denied(pbx, fields)
    ]
    too_much = [
        what
        for what, probe in actions.FORBIDDEN_PROBES.items()
        if probe != actions.ORIGINATE_PROBE and not _is_denied(pbx, probe)
    ]
    if may_not:
        yield failed(
            f"user {user}, who places callbacks, may not {' and '.join(may_not)}",
            f"it needs write = originate,reporting: {_AGAIN}",
        )
    elif too_much:
        yield warning(
            f"user {user}, who places callbacks, may {' and '.join(too_much)}",
            "it can do more than it needs: run `dutyline pbx-config --again` with the files' "
            "folder, then `asterisk -rx 'manager reload'`",
        )
    else:
        yield ok(f"user {user} may place callbacks, and do nothing else")


def _is_denied(pbx: OneShot, fields: actions.Fields) -> bool:
    """Tell whether the PBX refuses an action for want of rights, not for what is in it."""
    return "permission denied" in pbx.ask(fields).get("message", "").lower()
