"""What happened to a call, as the domain sees it: frozen, typed, already checked.

Times (`at`) are microseconds since the Unix epoch on the PBX's clock. `call` is the call's id,
the Uniqueid of the caller's leg; `leg` is the Uniqueid of one leg.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offered:
    """The dialplan announced an incoming call and waits for its plan."""

    at: int
    call: str
    channel: str
    did: str
    number: str


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
    """A leg to an operator started ringing."""

    at: int
    call: str
    leg: str
    channel: str
    dialled: str


@dataclass(frozen=True, slots=True)
class DialEnded:
    """A leg to an operator stopped ringing (`status` as in the AMI's DialStatus)."""

    at: int
    call: str
    leg: str
    channel: str
    status: str


@dataclass(frozen=True, slots=True)
class Joined:
    """A leg entered a bridge."""

    at: int
    call: str
    leg: str
    channel: str
    bridge: str


@dataclass(frozen=True, slots=True)
class Left:
    """A leg left a bridge."""

    at: int
    call: str
    leg: str
    channel: str
    bridge: str


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
class Vanished:
    """A call that was live before the connection broke is not live any more."""

    at: int
    call: str


CallEvent = (
    Offered
    | StepEnded
    | FellBack
    | ScreenBegan
    | Screened
    | Finished
    | DialBegan
    | DialEnded
    | Joined
    | Left
    | HangupAsked
    | HungUp
    | Vanished
)


@dataclass(frozen=True, slots=True)
class DeviceChanged:
    """A device's state changed: `device` is e.g. `PJSIP/101`, `state` e.g. `NOT_INUSE`."""

    at: int
    device: str
    state: str


Event = CallEvent | DeviceChanged


def endpoint_of(channel: str) -> str:
    """Return the endpoint a channel belongs to: `PJSIP/101-0000002a` gives `101`."""
    _, _, rest = channel.partition("/")
    name, _, _ = rest.rpartition("-")
    return name or rest
