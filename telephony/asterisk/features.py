"""Feature codes for pauses and “closed now”: switches in Asterisk, with lamps, without Dutyline."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from telephony.ami import names
from telephony.domain.pauses import (
    CLOSED,
    CLOSED_DID,
    CLOSED_STATE,
    OFF,
    PAUSE,
    STATE_OF,
    PauseKind,
)

CODE = re.compile(r"\*[0-9]{1,4}", re.ASCII)
# Spoken by Asterisk's core sounds.
_PAUSED, _BACK, _CLOSED, _OPEN = "agent-loggedoff", "agent-loginok", "de-activated", "activated"
_EXTENSION_DIGITS = range(2, 11)


@dataclass(frozen=True, slots=True)
class FeatureCodes:
    """What is dialled for each switch; they must differ. `closed` is for all DIDs.

    `back` followed by an extension has that extension's lamp, and pauses or unpauses one's own;
    `closed` followed by a DID is the switch of that DID alone. FreePBX uses none of these, but
    *80, which is its intercom.
    """

    lunch: str = "*81"
    rest: str = "*82"
    offline: str = "*83"
    closed: str = "*84"
    back: str = "*86"
    wrap_up: str = "*87"

    def __post_init__(self) -> None:
        """Raise ValueError for a code that is none, or stands for two things."""
        codes = (self.lunch, self.rest, self.offline, self.wrap_up, self.closed, self.back)
        if not all(CODE.fullmatch(code) for code in codes):
            raise ValueError("a feature code is * and 1 to 4 digits")
        if any(one != other and other.startswith(one) for one in codes for other in codes):
            raise ValueError("a feature code must not be the beginning of another")
        if len(set(codes)) < len(codes):
            raise ValueError("two feature codes are the same")


DEFAULT_CODES = FeatureCodes()


def features(
    codes: FeatureCodes, queues: Sequence[str], extensions: Mapping[str, str]
) -> Iterator[str]:
    """Yield the context of the feature codes.

    `queues` are names of ours on the PBX; `extensions` maps endpoints to extensions where they
    differ.
    """
    yield f"[{names.FEATURES}]"
    yield f"; Include this where phones dial: include => {names.FEATURES}"
    for code, kind in (
        (codes.lunch, PauseKind.LUNCH),
        (codes.rest, PauseKind.BREAK),
        (codes.offline, PauseKind.OFFLINE),
        (codes.wrap_up, PauseKind.WRAP_UP),
    ):
        yield f"exten => {code},1,Set(DL_STATE={STATE_OF[kind]})"
        yield f" same => n,Set(DL_WHY={kind})"
        yield f" same => n,Goto({names.FEATURES},who,1)"
    yield f"exten => {codes.back},1,Set(DL_STATE={OFF})"
    yield f" same => n,Goto({names.FEATURES},who,1)"
    yield from _lamps(codes.back)
    yield from _whose(extensions)
    yield from _set(queues)
    yield from _closing(codes.closed)


def _lamps(back: str) -> Iterator[str]:
    yield "; A lamp for each extension. Its key is the owner's: a break, and back."
    for count in _EXTENSION_DIGITS:
        key, extension = f"_{back}{'X' * count}", f"${{EXTEN:{len(back)}}}"
        yield f"exten => {key},hint,{PAUSE}{extension}"
        yield f"exten => {key},1,Set(DL_KEY={extension})"
        yield f" same => n,Goto({names.FEATURES},who,1)"


def _whose(extensions: Mapping[str, str]) -> Iterator[str]:
    there = f"{names.FEATURES},of-${{CHANNEL(endpoint)}},1"
    yield "; Whose phone this is: its endpoint, or else the number that the PBX gives it."
    yield f"exten => who,1,GotoIf(${{DIALPLAN_EXISTS({there})}}?{there})"
    yield " same => n,Set(DL_WHO=${FILTER(0-9,${CHANNEL(endpoint)})})"
    yield " same => n,GotoIf($[${LEN(${DL_WHO})} = ${LEN(${CHANNEL(endpoint)})}]?set,1)"
    yield " same => n,Set(DL_WHO=${FILTER(0-9,${CALLERID(num)})})"
    yield " same => n,Goto(set,1)"
    for endpoint, extension in sorted(extensions.items()):
        yield f"exten => of-{endpoint},1,Set(DL_WHO={extension})"
        yield " same => n,Goto(set,1)"


def _set(queues: Sequence[str]) -> Iterator[str]:
    device = f"DEVICE_STATE({PAUSE}${{DL_WHO}})"
    member = "PJSIP/${CHANNEL(endpoint)}"
    digits = _EXTENSION_DIGITS
    yield (
        f"exten => set,1,GotoIf($[${{LEN(${{DL_WHO}})}} < {digits[0]} | "
        f"${{LEN(${{DL_WHO}})}} > {digits[-1]}]?refused,1)"
    )
    yield " same => n,GotoIf($[${LEN(${DL_KEY})} = 0]?chosen)"
    yield ' same => n,GotoIf($["${DL_KEY}" != "${DL_WHO}"]?refused,1)'
    yield f" same => n,Set(DL_STATE={STATE_OF[PauseKind.BREAK]})"
    yield f" same => n,Set(DL_WHY={PauseKind.BREAK})"
    paused = " | ".join(f'"${{{device}}}" = "{state}"' for state in STATE_OF.values())
    yield f" same => n,GotoIf($[{paused}]?off:chosen)"
    yield f" same => n(off),Set(DL_STATE={OFF})"
    yield f" same => n(chosen),Set({device}=${{DL_STATE}})"
    yield f' same => n,GotoIf($["${{DL_STATE}}" = "{OFF}"]?back,1)'
    yield "; So that no queue rings a pausing operator while Dutyline is down."
    for name in queues:
        yield f" same => n,PauseQueueMember({name},{member},,${{DL_WHY}})"
    yield from _said(_PAUSED)
    yield "exten => back,1,NoOp()"
    for name in queues:
        yield f" same => n,UnpauseQueueMember({name},{member})"
    yield from _said(_BACK)
    yield "exten => refused,1,Congestion(5)"
    yield " same => n,Hangup()"


def _closing(closed: str) -> Iterator[str]:
    yield "; “Closed now” of all DIDs, or of the one whose digits follow: a switch, and its lamp."
    keys = [(closed, CLOSED)] + [
        (f"_{closed}{'X' * count}", f"{CLOSED_DID}${{EXTEN:{len(closed)}}}")
        for count in names.DID_DIGITS
    ]
    for key, device in keys:
        yield f"exten => {key},hint,{device}"
        yield f"exten => {key},1,Set(DL_SWITCH={device})"
        yield f" same => n,Goto({names.FEATURES},toggle,1)"
    device = "DEVICE_STATE(${DL_SWITCH})"
    yield f'exten => toggle,1,GotoIf($["${{{device}}}" = "{CLOSED_STATE}"]?open,1)'
    yield f" same => n,Set({device}={CLOSED_STATE})"
    yield from _said(_CLOSED)
    yield f"exten => open,1,Set({device}={OFF})"
    yield from _said(_OPEN)


def _said(prompt: str) -> Iterator[str]:
    yield " same => n,Answer()"
    yield f" same => n,Playback({prompt})"
    yield " same => n,Hangup()"
