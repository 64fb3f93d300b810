"""The manager user as text for manager.conf: least privilege, and filters against forged events."""

from __future__ import annotations

from dataclasses import dataclass

from telephony.ami import names

# eventfilter(…) with criteria exists from these on; older versions ignore it silently.
_CRITERIA_SINCE = {18: (18, 26), 20: (20, 11), 21: (21, 6), 22: (22, 1)}

WRITE = ("call", "reporting", "agent")
# The user that places callbacks reads nothing: what becomes of them the listener hears.
DIALLER_WRITE = ("originate", "reporting")
# The devices whose states are read: phones, our switches, and FreePBX's of an extension.
_DEVICES = ("PJSIP/", "Custom:dutyline-", "Custom:DND", "Custom:CF")


@dataclass(frozen=True, slots=True)
class ManagerOptions:
    """`permit` is the address range the listener logs in from; `version` is Asterisk's."""

    user: str
    secret: str
    version: tuple[int, int]
    permit: str = "127.0.0.1/255.255.255.255"


def has_criteria(version: tuple[int, int]) -> bool:
    """Tell whether this Asterisk honours `eventfilter(action(…),…)`."""
    since = _CRITERIA_SINCE.get(version[0])
    return version >= since if since else version[0] > 22


def manager(options: ManagerOptions) -> str:
    """Return the text of the manager file."""
    lines = [
        "; Written by `dutyline pbx-config`. Do not edit: run it again. See docs/dialplan.md.",
        "[general](+)",
        "; The listener accepts no event without its time.",
        "timestampevents = yes",
        "",
        f"[{options.user}]",
        f"secret = {options.secret}",
        "deny = 0.0.0.0/0.0.0.0",
        f"permit = {options.permit}",
        f"read = {names.READ}",
        f"write = {','.join(WRITE)}",
        "; Milliseconds Asterisk lets a reader stall; the default of 100 drops events.",
        "writetimeout = 5000",
        *(_criteria() if has_criteria(options.version) else _legacy()),
    ]
    user, secret = names.dialler_of(options.user, options.secret)
    lines += [
        "",
        "; Places the calls that Dutyline orders; the user above may not.",
        f"[{user}]",
        f"secret = {secret}",
        "deny = 0.0.0.0/0.0.0.0",
        f"permit = {options.permit}",
        "read =",
        f"write = {','.join(DIALLER_WRITE)}",
    ]
    return "\n".join(lines) + "\n"


def _criteria() -> list[str]:
    plain = [name for name in names.WANTED if name not in ("UserEvent", "DeviceStateChange")]
    return [
        *(f"eventfilter(action(include),name({name})) =" for name in plain),
        "eventfilter(action(include),name(UserEvent),header(UserEvent),method(starts_with))"
        " = Dutyline",
        *(
            "eventfilter(action(include),name(DeviceStateChange),header(Device),"
            f"method(starts_with)) = {device}"
            for device in _DEVICES
        ),
        "; A caller's number can carry line ends: an event with two of them in a row in its midst,",
        "; or with two Linkedids, was forged.",
        "eventfilter(action(exclude),method(regex)) = [[:cntrl:]]{4}[^[:cntrl:]]",
        "eventfilter(action(exclude),method(regex)) = [[:cntrl:]]Linkedid: .*[[:cntrl:]]Linkedid: ",
    ]


def _legacy() -> list[str]:
    wanted = "|".join(names.WANTED)
    return [
        f"eventfilter = ^Event: ({wanted})",
        "eventfilter = ![[:cntrl:]]{4}[^[:cntrl:]]",
        "eventfilter = ![[:cntrl:]]Linkedid: .*[[:cntrl:]]Linkedid: ",
    ]
