"""The actions Dutyline may send, typed; every value is checked before it becomes a line.

Nothing else is ever sent: reading, setting the plan's variables and our own switches, and the
members of our own queues. The probes of what our user must not do are `doctor`'s alone.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from urllib.parse import quote

from telephony.ami import names
from telephony.domain import membership
from telephony.domain.orders import Placing, order_of
from telephony.domain.pauses import SWITCH, SWITCH_STATES
from telephony.domain.queueing import PREFIX
from telephony.domain.routing import Kind, Plan, Step

Fields = tuple[tuple[str, str], ...]

# Control characters and lone surrogates: a name must never cost a caller the plan.
_UNPRINTABLE = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff]+")
_MAX_NAME = 80
_QUEUE = re.compile(rf"{re.escape(PREFIX)}[a-z0-9-]{{1,40}}", re.ASCII)
_INTERFACE = re.compile(
    r"PJSIP/[A-Za-z0-9_.-]{1,40}"
    rf"|Local/(?:[0-9]{{3,15}}|\+?[0-9]{{3,30}}\*[A-Za-z0-9_.-]{{1,40}})@{names.MOBILE}/n",
    re.ASCII,
)
_REASON = re.compile(r"[a-z_]{0,40}", re.ASCII)
_FORBIDDEN = re.compile(r"[\r\n\0]")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_CHANNEL = re.compile(r"[!-~]{1,120}")
_SETTABLE = re.compile(rf"{names.PLAN}|{names.STEP}[0-9]{{1,2}}|{names.CLIENT_NAME}")
_READABLE = re.compile(
    rf"EPOCH|{names.HEARTBEAT}|DIALPLAN_EXISTS\([a-z-]+,[a-z0-9-]+,1\)|IFMODULE\([a-z0-9_]+\.so\)"
    r"|PJSIP_ENDPOINT\([A-Za-z0-9_.-]{1,40},[a-z_]+\)"
    rf"|DIALPLAN_EXISTS\({names.ROUTE},token-[0-9a-f]+,1\)"
    r"|DEVICE_STATE\((PJSIP/|Custom:)[A-Za-z0-9_.-]{1,40}\)"
    rf"|QUEUE_EXISTS\({re.escape(PREFIX)}[a-z0-9-]{{1,40}}\)"
)
_TELLING = (names.CALL, names.DID, "CHANNEL(linkedid)", "UNIQUEID")
# Asterisk discards a message with a line of more than 1,024 characters.
_MAX_VALUE = 900


class BadValue(ValueError):
    """A value that may not go into an action; the message names the field, not the value."""


def checked(fields: Iterable[tuple[str, str]]) -> Fields:
    """Return the fields when each is exactly one AMI line. Raises BadValue."""
    kept = tuple(fields)
    for name, value in kept:
        if not _NAME.fullmatch(name):
            raise BadValue("an AMI header's name must be letters and digits")
        if _FORBIDDEN.search(value):
            raise BadValue(f"{name} must not contain a line end or NUL")
        if len(value) > _MAX_VALUE:
            raise BadValue(f"{name} must not be longer than {_MAX_VALUE} characters")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BadValue(f"{name} is not valid text") from None
    return kept


def new_action_id() -> str:
    """Return an id that nobody can guess: answers are believed by their id."""
    return secrets.token_hex(12)


def render(fields: Iterable[tuple[str, str]]) -> bytes:
    """Return one action as bytes. Raises BadValue."""
    return "".join(f"{name}: {value}\r\n" for name, value in checked(fields)).encode() + b"\r\n"


def login(user: str, secret: str) -> Fields:
    """Log in, subscribed to the event classes that hold `names.WANTED`."""
    return (("Action", "Login"), ("Username", user), ("Secret", secret), ("Events", names.READ))


def logoff() -> Fields:
    """End the session."""
    return (("Action", "Logoff"),)


def ping() -> Fields:
    """Ask for a pong, which carries the PBX's clock."""
    return (("Action", "Ping"),)


def core_settings() -> Fields:
    """Ask for Asterisk's version."""
    return (("Action", "CoreSettings"),)


def device_states() -> Fields:
    """Ask for the state of every device, as a list."""
    return (("Action", "DeviceStateList"),)


def channels(variables: str) -> Fields:
    """Ask for every channel with these variables, as a list."""
    return (("Action", "Status"), ("Variables", variables))


def queue_members() -> Fields:
    """Ask for the queues with their members, as a list."""
    return (("Action", "QueueStatus"),)


def member_action(one: membership.Action) -> tuple[Fields, ...]:
    """Return what does one change to the members of a queue of ours. Raises BadValue."""
    if not _QUEUE.fullmatch(one.queue):
        raise BadValue("only queues of ours are touched")
    if not _INTERFACE.fullmatch(one.interface):
        raise BadValue("Interface is neither a phone nor a mobile of ours")
    member = (("Queue", one.queue), ("Interface", one.interface))
    match one:
        case membership.Add(member=new):
            added = (("Action", "QueueAdd"), *member, ("Penalty", str(new.penalty)))
            if not new.pause:
                return (added,)
            # Paused from the first moment on; the reason is told by the pause alone.
            return (*((*added, ("Paused", "true")),), _pause(member, new.pause))
        case membership.Remove():
            return ((("Action", "QueueRemove"), *member),)
        case membership.Pause(reason=reason):
            return (_pause(member, reason),)
        case membership.Penalise(penalty=penalty):
            return ((("Action", "QueuePenalty"), *member, ("Penalty", str(penalty))),)


def _pause(member: Fields, reason: str) -> Fields:
    if not _REASON.fullmatch(reason):
        raise BadValue("Reason is none of ours")
    paused = "true" if reason else "false"
    return (("Action", "QueuePause"), *member, ("Paused", paused), ("Reason", reason))


def switch(device: str, state: str) -> Fields:
    """Set one of our switches on the PBX: a custom device state. Raises BadValue."""
    if not SWITCH.fullmatch(device) or state not in SWITCH_STATES:
        raise BadValue("only switches of ours may be set, to their own states")
    return (("Action", "Setvar"), ("Variable", f"DEVICE_STATE({device})"), ("Value", state))


# What an answer may take besides the ringing: the announcement twice, each with time for the key.
ACCEPT_SECONDS = 60
_VALUE = re.compile(r"[A-Za-z0-9+%._/-]*", re.ASCII)
_MAX_WHO = 40  # characters of a name in an order: each can take twelve
_ORDER_ID = re.compile(r"dutyline-order2?-[0-9]{9,11}\.[0-9]{1,12}", re.ASCII)


def originate(placing: Placing) -> Fields:
    """Order a call: the one action that makes the PBX ring somebody. Raises BadValue.

    Always into a context of ours, never an application; answered as soon as it is begun (Async).
    """
    order = placing.order
    if order_of(order.channel.removesuffix("/n") + "-00000000;1") != order:
        raise BadValue("an order is for an extension and a number")
    if not all(_ORDER_ID.fullmatch(name) for name in placing.uniqueids):
        raise BadValue("an order's ids are ours")
    mobile, _, mobile_trunk = placing.mobile.partition("@")
    line, _, trunk = placing.line.partition("@")
    first = placing.client_seconds if order.operator is None else placing.operator_seconds
    variables = {
        names.UNTIL: str(placing.until),
        names.CLIENT_UNTIL: str(placing.client_until),
        names.DESK: placing.desk,
        names.WHOM: mobile,
        names.WHOM_BY: mobile_trunk,
        names.TO: order.number,
        names.TO_LINE: line or order.number,
        names.TO_BY: trunk,
        names.SHOWN: placing.shown,
        names.RING: str(placing.operator_seconds),
        names.CLIENT_RING: str(placing.client_seconds),
        names.LONGEST: str(placing.longest_minutes * 60_000),
        names.NAME: quote(_shown(placing.name)[:_MAX_WHO], safe=""),
        names.LANGUAGE: placing.language,
        names.GREETING: _sound(placing.greeting),
        names.ASKED: "1" if placing.client_key else "",
        names.MACHINES: "1" if placing.machine_detection else "",
        names.DID: order.did,
    }
    for name, value in variables.items():
        # A comma would begin another variable, an ampersand another channel.
        if not _VALUE.fullmatch(value):
            raise BadValue(f"{name} holds what an order's variable may not")
    told = ",".join(f"__{name}={value}" for name, value in variables.items() if value)
    return (
        ("Action", "Originate"),
        ("Channel", order.channel),
        ("Context", names.RECALLED if order.operator is None else names.ORDERED),
        ("Exten", "s"),
        ("Priority", "1"),
        ("Timeout", str((first + ACCEPT_SECONDS) * 1000)),
        ("Async", "true"),
        ("ChannelId", placing.uniqueids[0]),
        ("OtherChannelId", placing.uniqueids[1]),
        ("Variable", told),
    )


def fence(uniqueid: str) -> Fields:
    """Ask whether an order's client was dialled: its key in the PBX's database. Raises BadValue."""
    if not _ORDER_ID.fullmatch(uniqueid):
        raise BadValue("an order's ids are ours")
    return (("Action", "DBGet"), ("Family", names.FENCES), ("Key", uniqueid))


def core_status() -> Fields:
    """Ask since when Asterisk runs, among other things."""
    return (("Action", "CoreStatus"),)


def heartbeat(epoch: int) -> Fields:
    """Set the heartbeat; 0 says at once that nobody answers."""
    return (("Action", "Setvar"), ("Variable", names.HEARTBEAT), ("Value", str(epoch)))


def read_global(expression: str) -> Fields:
    """Ask for a global variable or a function's value. Raises BadValue."""
    if not _READABLE.fullmatch(expression):
        raise BadValue("only the functions that `doctor` needs may be read")
    return (("Action", "Getvar"), ("Variable", expression))


# Tells whether a user may place calls: without a channel none is.
ORIGINATE_PROBE: Fields = (("Action", "Originate"), ("Channel", ""))

# What our user must not be able to do, tried in a way that is harmless where it can.
FORBIDDEN_PROBES: dict[str, Fields] = {
    "run console commands": (("Action", "Command"), ("Command", "core show version")),
    "place calls": ORIGINATE_PROBE,
    "change the configuration": (("Action", "GetConfig"), ("Filename", "dutyline_none.conf")),
}

# What it must be able to do for the members of our queues, tried on a queue that is not there.
MEMBER_PROBE: Fields = (
    ("Action", "QueuePause"),
    ("Queue", PREFIX),
    ("Interface", "PJSIP/none"),
    ("Paused", "false"),
)


def call_of(channel: str) -> Fields:
    """Ask which call a channel belongs to. Raises BadValue."""
    return (("Action", "Getvar"), ("Channel", _channel(channel)), ("Variable", names.CALL))


def of_channel(channel: str, expression: str) -> Fields:
    """Ask one of a few things of a channel: they tell which call it belongs to. Raises BadValue."""
    if expression not in _TELLING:
        raise BadValue("only what tells a channel's call may be read")
    return (("Action", "Getvar"), ("Channel", _channel(channel)), ("Variable", expression))


def set_variable(channel: str, variable: str, value: str) -> Fields:
    """Set one of the plan's variables on a channel. Raises BadValue for any other variable."""
    if not _SETTABLE.fullmatch(variable):
        raise BadValue("only the plan's variables may be set")
    return (
        ("Action", "Setvar"),
        ("Channel", _channel(channel)),
        ("Variable", variable),
        ("Value", value),
    )


def plan(channel: str, decided: Plan) -> tuple[Fields, ...]:
    """Return the actions that hand a plan to a waiting channel: the commit variable is last.

    Raises BadValue.
    """
    steps = decided.steps
    if len(steps) > names.MAX_STEPS:
        # What does not fit is cut; the last step stays, since it ends the plan.
        steps = (*steps[: names.MAX_STEPS - 1], steps[-1])
    actions = [
        set_variable(channel, f"{names.STEP}{index}", _step(step))
        for index, step in enumerate(steps, start=1)
    ]
    named = ": ".join(text for text in (decided.line, decided.name) if text)
    if shown := _shown(named)[:_MAX_NAME]:
        actions.append(set_variable(channel, names.CLIENT_NAME, shown))
    actions.append(set_variable(channel, names.PLAN, str(len(steps))))
    return tuple(actions)


def _shown(name: str) -> str:
    return _UNPRINTABLE.sub(" ", name).strip()


def _step(step: Step) -> str:
    """Return a step as the dialplan reads it: kind,seconds,part&part."""
    parts = [target.line or target.address for target in step.targets]
    if step.kind is Kind.QUEUE:
        parts.append(str(step.priority))
    elif step.kind is Kind.MENU:
        parts = [_sound(step.sound), step.keys, str(step.tries)]
    elif step.sound:
        parts.append(_sound(step.sound))
    kind = "via" if step.kind is Kind.MOBILE and step.targets[0].line else step.kind
    return f"{kind},{step.seconds},{'&'.join(parts)}"


def _sound(name: str) -> str:
    """Return a sound's name for Asterisk: uploaded ones lie in a folder of their own."""
    return f"{names.SOUNDS}/{name[1:]}" if name.startswith("@") else name


def _channel(name: str) -> str:
    if not _CHANNEL.fullmatch(name):
        raise BadValue("Channel is not a channel's name")
    return name
