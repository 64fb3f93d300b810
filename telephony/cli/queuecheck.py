"""What `dutyline doctor` says of the groups' queues."""

from __future__ import annotations

from collections.abc import Iterator

from telephony.ami import actions, names
from telephony.ami.oneshot import OneShot
from telephony.asterisk.queues import proof_of
from telephony.cli.common import known_setup
from telephony.cli.findings import Finding, failed, ok, warning
from telephony.settings import Settings

_ADVICE = (
    "run `dutyline pbx-config --write` again, #include dutyline_queues.conf in queues.conf, "
    "then `asterisk -rx 'dialplan reload'` and `asterisk -rx 'queue reload all'`"
)


def check_queues(pbx: OneShot, settings: Settings) -> Iterator[Finding]:
    """Is each group's queue on the PBX as it is set up now, and may our user keep its members?"""
    setup = known_setup(settings)
    own = [group.queue for group in setup.groups.values() if group.queue] if setup else []
    if not own:
        return
    if "permission denied" in pbx.ask(actions.MEMBER_PROBE).get("message", "").lower():
        yield failed(
            "the user may not keep the members of queues",
            "it needs write = agent: run `dutyline pbx-config --write` again, "
            "then `asterisk -rx 'manager reload'`",
        )
    missing = [one.pbx_name for one in own if _value(pbx, f"QUEUE_EXISTS({one.pbx_name})") != "1"]
    if missing:
        yield failed(f"queues are not on the PBX: {', '.join(missing)}", _ADVICE)
    elif _value(pbx, f"DIALPLAN_EXISTS({names.QUEUE_KEYS},{proof_of(own)},1)") != "1":
        yield warning("the groups' queues were changed since the PBX's files were written", _ADVICE)
    else:
        yield ok(f"{len(own)} queue(s) of groups are on the PBX, as they are set up")


def _value(pbx: OneShot, expression: str) -> str:
    return pbx.ask(actions.read_global(expression)).get("value", "")
