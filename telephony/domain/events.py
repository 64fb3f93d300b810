"""What happened to a call, as the domain sees it: frozen, typed, already checked.

Times (`at`) are microseconds since the Unix epoch on the PBX's clock. `call` is the Linkedid that
the event carried, usually the Uniqueid of the leg that the call began with; `leg` is the Uniqueid
of one leg. Which call an event belongs to in the end is `board`'s to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offered:
    """The dialplan announced an incoming call and waits for its plan.

    `key` is what the caller pressed in a menu, `-` for nothing, empty when there was none yet.
    """

    at: int
    call: str
    channel: str
    did: str
    number: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step of the plan ended without a conversation; `status` is the dialplan's word for why."""

    at: int
    call: str
    step: int
    status: str


@dataclass(frozen=True, slots=True)
class FellBack:
    """The dialplan took the fallback; `reason` says why (see docs/dialplan.md)."""

    at: int
    call: str
    reason: str


@dataclass(frozen=True, slots=True)
class VoicemailLeft:
    """The caller was sent to a mailbox; `spoke` when a message is in it."""

    at: int
    call: str
    mailbox: str
    spoke: bool


@dataclass(frozen=True, slots=True)
class ScreenBegan:
    """A mobile was picked up and is asked to press 1; the caller still hears ringing."""

    at: int
    call: str
    leg: str


@dataclass(frozen=True, slots=True)
class Screened:
    """Whoever picked the mobile up pressed 1, or did not: a voicemail, a pocket."""

    at: int
    call: str
    leg: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class CallbackAsked:
    """A caller is to be called back.

    Who waited in `queue` pressed the key that asks for it; empty when it was promised without.
    """

    at: int
    call: str
    queue: str


@dataclass(frozen=True, slots=True)
class Ordered:
    """How far a call is that Dutyline ordered: `stage` and `status` as in `orders.STAGES`."""

    at: int
    call: str
    leg: str
    stage: str
    status: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The hangup handler's summary: enough for a record when earlier events were missed.

    `started` is in whole seconds since the epoch, `answered_ms` is the conversation's length on
    the dialplan's own clock (0 when there was none), `peer` the channel that had it, `source` the
    channel that hung up.
    """

    at: int
    call: str
    channel: str
    did: str
    number: str
    started: int
    step: int
    status: str
    answered_ms: int
    peer: str
    source: str


@dataclass(frozen=True, slots=True)
class DialBegan:
    """A leg started ringing.

    `by` and `by_channel` are the leg that dials it, empty when the PBX itself does; `number` is
    the caller id that leg has and `exten` what it had dialled, digits or empty.
    """

    at: int
    call: str
    leg: str
    channel: str
    dialled: str
    by: str = ""
    by_channel: str = ""
    number: str = ""
    exten: str = ""


@dataclass(frozen=True, slots=True)
class DialEnded:
    """A leg stopped ringing (`status` as in the AMI's DialStatus); the rest as in `DialBegan`."""

    at: int
    call: str
    leg: str
    channel: str
    status: str
    by: str = ""
    by_channel: str = ""
    number: str = ""
    exten: str = ""


@dataclass(frozen=True, slots=True)
class Joined:
    """A leg entered a bridge; `private` when it is the parties' own, not a conference room."""

    at: int
    call: str
    leg: str
    channel: str
    bridge: str
    private: bool = True


@dataclass(frozen=True, slots=True)
class Left:
    """A leg left a bridge."""

    at: int
    call: str
    leg: str
    channel: str
    bridge: str


@dataclass(frozen=True, slots=True)
class Held:
    """A leg put the other side on hold."""

    at: int
    call: str
    leg: str
    channel: str


@dataclass(frozen=True, slots=True)
class Resumed:
    """A leg took the other side back; phones also say so when nothing was held."""

    at: int
    call: str
    leg: str
    channel: str


@dataclass(frozen=True, slots=True)
class Transferred:
    """A leg sent the other side on.

    Blind: to `exten`. Attended: to the leg `target`, which the same phone had reached on the leg
    `second`. `moved` is the leg that was sent on, empty when there was more than one.
    """

    at: int
    call: str
    leg: str
    channel: str
    moved: str
    exten: str = ""
    target: str = ""
    second: str = ""


@dataclass(frozen=True, slots=True)
class PickedUp:
    """The leg took the call that rang at the leg `target`."""

    at: int
    call: str
    leg: str
    channel: str
    target: str
    target_channel: str


@dataclass(frozen=True, slots=True)
class Parked:
    """The leg was put into a parking space; `by` is the parker's device, e.g. `PJSIP/101`."""

    at: int
    call: str
    leg: str
    channel: str
    slot: str
    by: str


@dataclass(frozen=True, slots=True)
class Unparked:
    """The leg `by` took the leg from its parking space."""

    at: int
    call: str
    leg: str
    channel: str
    slot: str
    by: str
    by_channel: str


@dataclass(frozen=True, slots=True)
class HangupAsked:
    """One side asked to hang up: this tells who ended the call."""

    at: int
    call: str
    leg: str
    channel: str


@dataclass(frozen=True, slots=True)
class HungUp:
    """A leg is gone. `cause` is a Q.850 cause, `tech_cause` the SIP status (0 when unknown)."""

    at: int
    call: str
    leg: str
    channel: str
    cause: int
    tech_cause: int


@dataclass(frozen=True, slots=True)
class Recalled:
    """Not from the PBX: an earlier process had told of this call, which goes on.

    `channel` is that of the leg it began with, which may be gone.
    """

    at: int
    call: str
    channel: str


@dataclass(frozen=True, slots=True)
class Vanished:
    """A call that was live before the connection broke is not live any more.

    A later event of the call proves that it was: then this counts for nothing.
    """

    at: int
    call: str


CallEvent = (
    Offered
    | StepEnded
    | FellBack
    | VoicemailLeft
    | ScreenBegan
    | Screened
    | CallbackAsked
    | Ordered
    | Finished
    | DialBegan
    | DialEnded
    | Joined
    | Left
    | Held
    | Resumed
    | Transferred
    | PickedUp
    | Parked
    | Unparked
    | HangupAsked
    | HungUp
    | Recalled
    | Vanished
)


@dataclass(frozen=True, slots=True)
class DeviceChanged:
    """A device's state changed: `device` is e.g. `PJSIP/101`, `state` e.g. `NOT_INUSE`."""

    at: int
    device: str
    state: str


@dataclass(frozen=True, slots=True)
class MemberChanged:
    """A member of one of the PBX's queues was added, paused or unpaused, or removed.

    `device` is the member's state interface: `PJSIP/101`, or `hint:101@ext-local` on FreePBX.
    `paused` is None when it is a member no longer, `reason` why it is paused, if that was told.
    `interface` is what the queue dials.
    """

    at: int
    queue: str
    device: str
    paused: bool | None
    interface: str = ""
    penalty: int = 0
    reason: str = ""


Event = CallEvent | DeviceChanged | MemberChanged


_CALLED = re.compile(r"\+?[0-9]{2,15}", re.ASCII)


def is_local(channel: str) -> bool:
    """Tell whether a channel is half of a Local one: a way from dialplan to dialplan, no phone."""
    return channel.startswith("Local/")


def dialled_number(dialled: str) -> str:
    """Return the digits that a DialString calls, with a leading + if there is one, else "".

    `79001112233@trunk`, `trunk/79001112233`, `trunk/sip:79001112233@host`, `Local/101@context/n`.
    """
    technology, _, rest = dialled.partition("/")
    target = rest.removeprefix("sip:") if rest else technology
    number = target.partition("@")[0].partition("/")[0]
    return number if _CALLED.fullmatch(number) else ""


def endpoint_of(channel: str) -> str:
    """Return the endpoint a channel belongs to: `PJSIP/101-0000002a` gives `101`."""
    _, _, rest = channel.partition("/")
    name, _, _ = rest.rpartition("-")
    return name or rest


# A phone that is no operator's is still none of a provider's when it is named like an extension.
_PHONE = re.compile(r"[0-9]{2,6}", re.ASCII)


def extension_of(channel: str, desks: Mapping[str, str]) -> str | None:
    """Return the extension of a desk phone's channel, None for a provider's or a Local one.

    `desks` maps operators' endpoints to extensions.
    """
    if is_local(channel):
        return None
    endpoint = endpoint_of(channel)
    known = desks.get(endpoint)
    if known is None and _PHONE.fullmatch(endpoint):
        return endpoint
    return known
