"""Switches on the PBX as Asterisk's custom device states: pauses, “closed now”, “do not disturb”.

Which of our queues the PBX has is kept beside them, as device states by Asterisk's name for it.

They live in Asterisk's own database, so that feature codes and lamps on phones work without us
and nothing is forgotten when either side restarts. `devices` maps names of devices to states.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

Devices = Mapping[str, str]


class PauseKind(StrEnum):
    """Why an operator takes no calls for now."""

    LUNCH = "lunch"
    BREAK = "break"
    OFFLINE = "offline"
    WRAP_UP = "wrap_up"


PAUSE = "Custom:dutyline-pause-"  # + extension
CLOSED = "Custom:dutyline-closed"
CLOSED_DID = CLOSED + "-"  # + the DID's digits
QUEUE = "Queue:"  # + the queue's name: what the PBX has of ours
OFF = "NOT_INUSE"
MISSING = "INVALID"
CLOSED_STATE = "INUSE"

# What a pause's device is while it lasts. The rest after a call is no switch of the PBX's; a
# wrap-up that somebody begins, since that rest is too short, is.
STATE_OF = {
    PauseKind.LUNCH: "BUSY",
    PauseKind.BREAK: "ONHOLD",
    PauseKind.WRAP_UP: "RINGINUSE",
    PauseKind.OFFLINE: "INUSE",
}
_KIND_OF = {state: kind for kind, state in STATE_OF.items()}
# A state that lights a lamp means “on”; one that is not known does not: calls go on.
_LIT = frozenset({"INUSE", "BUSY", "ONHOLD", "RINGING", "RINGINUSE"})
_DISTURB, _FORWARD = FREEPBX_SWITCHES = ("Custom:DND", "Custom:CF")  # + extension
_FREEPBX = re.compile(rf"(?:{_DISTURB}|{_FORWARD})([0-9]{{2,10}})", re.ASCII)
_PAUSE = re.compile(re.escape(PAUSE) + r"([0-9]{2,10})", re.ASCII)
# Every switch that may be set, and to what.
SWITCH = re.compile(
    rf"{re.escape(PAUSE)}[0-9]{{2,10}}|{re.escape(CLOSED)}(?:-[0-9]{{2,15}})?", re.ASCII
)
# Everything besides phones that a decision looks at.
SEEN = re.compile(rf"{SWITCH.pattern}|{_FREEPBX.pattern}|{QUEUE}[a-z0-9-]{{1,60}}", re.ASCII)
SWITCH_STATES = frozenset({OFF, CLOSED_STATE, *STATE_OF.values()})


def pause_device(extension: str) -> str:
    """Return the device that holds an extension's pause."""
    return PAUSE + extension


def closed_device(did: str | None = None) -> str:
    """Return the device that holds “closed now” of a DID (digits), or of all of them."""
    return CLOSED if did is None else CLOSED_DID + did


def paused_extension(device: str) -> str | None:
    """Return the extension whose pause a device holds, None when it holds none."""
    found = _PAUSE.fullmatch(device)
    return found[1] if found else None


def extension_of_device(device: str, desks: Mapping[str, str]) -> str | None:
    """Return whose phone, pause, “do not disturb” or forwarding a device is, None for nobody's.

    `desks` maps operators' endpoints to extensions.
    """
    known = _FREEPBX.fullmatch(device)
    return known[1] if known else paused_extension(device) or desks.get(device.partition("/")[2])


def pause_of(devices: Devices, extension: str) -> PauseKind | None:
    """Return the pause an operator makes by the PBX's switch, None when it is none.

    A state that is none of ours is none: an unneeded ring costs seconds, a skipped operator calls.
    """
    return _KIND_OF.get(devices.get(PAUSE + extension, ""))


def closed_now(devices: Devices, did: str) -> bool:
    """Tell whether somebody closed a DID (digits), or all of them, by the PBX's switch."""
    return any(devices.get(name) in _LIT for name in (CLOSED, CLOSED_DID + did))


def queue_missing(devices: Devices, queue: str) -> bool:
    """Tell whether the PBX is known not to have a queue, by its name there."""
    return devices.get(QUEUE + queue) == MISSING


def do_not_disturb(devices: Devices, extension: str) -> bool:
    """Tell whether an extension's “do not disturb” is on, by FreePBX's device state for it."""
    return devices.get(_DISTURB + extension) in _LIT


def forwarded(devices: Devices, extension: str) -> bool:
    """Tell whether an extension forwards its calls, by FreePBX's device state for it."""
    return devices.get(_FORWARD + extension) in _LIT
