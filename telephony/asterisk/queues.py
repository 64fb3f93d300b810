"""Dutyline's own queues: their settings for queues.conf, and what the dialplan has for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from telephony.ami import names
from telephony.asterisk.pieces import user_event
from telephony.domain.queueing import QueueSettings

# The key that asks to be called back, and what the caller hears then.
CALLBACK_KEY = "1"
_THANKS = "auth-thankyou&vm-goodbye"
# Digits of a mobile as the members' addresses have them.
_MOBILE_DIGITS = range(3, 16)
_MOBILE_SECONDS = 120  # the queue's own time for a try is shorter


def queues(settings: Iterable[QueueSettings]) -> str:
    """Return the text of the queue file."""
    lines = [
        "; Written by `dutyline pbx-config`. Do not edit: run it again. See docs/queues.md.",
        "[general](+)",
        "; Members are kept over a restart: callers are served while Dutyline is down.",
        "persistentmembers = yes",
    ]
    for one in sorted(settings, key=lambda each: each.name):
        lines += ["", *_queue(one)]
    return "\n".join(lines) + "\n"


def _queue(one: QueueSettings) -> Iterator[str]:
    yield f"[{one.pbx_name}]"
    yield f"strategy = {one.strategy}"
    yield f"timeout = {one.ring_seconds}"
    yield "retry = 1"
    yield f"wrapuptime = {one.wrapup_seconds}"
    yield f"musicclass = {one.music}"
    yield "autofill = yes"
    yield "ringinuse = no"
    yield "; Who has no phone at all is no reason to wait: the call goes on to its next step."
    yield "joinempty = unavailable,invalid"
    yield "leavewhenempty = unavailable,invalid"
    yield f"announce-position = {_yes(one.announce_position)}"
    yield f"announce-holdtime = {_yes(one.announce_wait)}"
    announced = one.announce_position or one.announce_wait
    yield f"announce-frequency = {one.announce_seconds if announced else 0}"
    yield "min-announce-frequency = 15"
    yield "setqueuevar = yes"
    if one.callback:
        yield f"context = {names.QUEUE_KEYS}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def queue_keys(token: str, proof: str) -> Iterator[str]:
    """Yield the context in which the keys of callers who wait are looked up.

    `proof` is what `proof_of` says of the queues.
    """
    yield f"[{names.QUEUE_KEYS}]"
    yield "; Whoever waits in a queue of ours presses this key to be called back."
    yield f"exten => {CALLBACK_KEY},1," + user_event(
        names.CALLBACK_ASKED, token, Queue="${FILTER(a-z0-9\\x2d,${QUEUENAME})}"
    )
    yield f" same => n,Playback({_THANKS})"
    yield " same => n,Hangup(16)"
    yield "; `dutyline doctor` looks for this one: it knows the queues this file was made with."
    yield f"exten => {proof},1,NoOp()"


def mobile_members(line: str | None, screen: str, plus: bool) -> Iterator[str]:
    """Yield the context that dials a mobile which is a member of a queue.

    `line` is the dial string of DL_ONE, None without a trunk; `screen` the options of Dial that ask
    for the key.
    """
    yield f"[{names.MOBILE}]"
    yield "; A mobile as a member of a queue: Local/79161110001@ here. Screened like every mobile."
    yield "exten => s,1,Hangup()"
    yield "; Local/89161110001*city@ here: the number as a trunk of the operator's own wants it."
    yield "exten => _[+0-9].,1,Set(DL_ONE=${FILTER(0-9+,${CUT(EXTEN,*,1)})})"
    yield " same => n,Set(DL_TRUNK=${FILTER(0-9A-Za-z_.\\x2d,${CUT(EXTEN,*,2)})})"
    yield " same => n,GotoIf($[${LEN(${DL_TRUNK})} = 0]?s,1)"
    yield f" same => n,Dial(PJSIP/${{DL_ONE}}@${{DL_TRUNK}},{_MOBILE_SECONDS},tr{screen})"
    yield " same => n,Hangup(${HANGUPCAUSE})"
    if line is None:
        return
    sign = "+" if plus else ""
    for count in _MOBILE_DIGITS:
        yield f"exten => _{'X' * count},1,Set(DL_ONE={sign}${{FILTER(0-9,${{EXTEN}})}})"
        yield f" same => n,Dial({line},{_MOBILE_SECONDS},tr{screen})"
        yield " same => n,Hangup(${HANGUPCAUSE})"
