"""What `dutyline doctor` says of the groups' queues, and of the age of the PBX's files."""

from __future__ import annotations

from collections.abc import Iterator

from telephony.ami import actions, names
from telephony.ami.oneshot import OneShot
from telephony.asterisk.proof import proof_of
from telephony.cli.common import known_setup
from telephony.cli.findings import Finding, failed, ok, warning
from telephony.settings import Settings

_ADVICE = (
    "run `dutyline pbx-config --again` with the files' folder, see that queues.conf has #include "
    "dutyline_queues.conf, then `asterisk -rx 'dialplan reload'`, 'queue reload all' and "
    "'voicemail reload'"
)


def check_queues(pbx: OneShot, settings: Settings) -> Iterator[Finding]:
    """Are the PBX's files and each group's queue as set up, and may our user keep its members?"""
    setup = known_setup(settings)
    if setup is None or not setup.operators:
        return
    own = [group.queue for group in setup.groups.values() if group.queue]
    if own and "permission denied" in pbx.ask(actions.MEMBER_PROBE).get("message", "").lower():
        yield failed(
            "the user may not keep the members of queues",
            "it needs write = agent: run `dutyline pbx-config --again` with the files' folder, "
            "then `asterisk -rx 'manager reload'`",
        )
    missing = [one.pbx_name for one in own if _value(pbx, f"QUEUE_EXISTS({one.pbx_name})") != "1"]
    # As they are on a plain Asterisk, or on FreePBX.
    proofs = [
        proof_of(own, setup.renamed_desks, boxes) for boxes in (setup.mailboxes.values(), None)
    ]
    if missing:
        yield failed(f"queues are not on the PBX: {', '.join(missing)}", _ADVICE)
    elif not any(
        _value(pbx, f"DIALPLAN_EXISTS({names.QUEUE_KEYS},{proof},1)") == "1" for proof in proofs
    ):
        yield warning(
            "queues, mailboxes or operators' phones were changed since the PBX's files were "
            "written",
            _ADVICE,
        )
    elif own:
        yield ok(f"{len(own)} queue(s) of groups are on the PBX, as they are set up")


def _value(pbx: OneShot, expression: str) -> str:
    return pbx.ask(actions.read_global(expression)).get("value", "")
