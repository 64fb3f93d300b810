"""Raw AMI packets → domain events, strictly.

A caller can put line ends into a From number, and Asterisk prints them raw: a whole forged event
may stand in the stream. So an event counts only when it consists of exactly the headers that
Asterisk writes for it, in Asterisk's order, each once, with an id where an id belongs. One regular
expression per event, built from `names.WANTED`, checks all of it in one pass.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from telephony.ami import names
from telephony.domain import events

_ID = rb"(?:[A-Za-z0-9_.@ -]{1,60}-)?[0-9]{9,11}\.[0-9]{1,12}"
_CHANNEL = rb"[!-~]{1,120}"
# Possessive, as the space before a value: else a packet that is wrong in its last lines would be
# tried in 2^lines ways, which a caller can bring about.
_TEXT = rb"[^\r\n\0]*+"
# By the end of a header's name, the first that fits: also `DestUniqueid`, `TransfereeChannel`.
_BY_END: dict[str, bytes] = {
    "BridgeUniqueid": rb"[A-Za-z0-9_.-]{1,80}",
    "Uniqueid": _ID,
    "Linkedid": _ID,
    "Channel": _CHANNEL,
}
_VALUE: dict[str, bytes] = {
    "BridgeType": rb"[a-z]{1,20}",
    "ParkerDialString": rb"[!-~]{0,120}",
    "ParkingSpace": rb"[0-9]{1,10}",
    "DialString": _TEXT,
    "DialStatus": rb"[A-Z_]{1,20}",
    "Cause": rb"[0-9]{1,4}",
    "TechCause": rb"[A-Za-z0-9 _.-]{0,60}",
    "Device": rb"[!-~]{1,120}",
    "State": rb"[A-Z_]{1,20}",
    "UserEvent": rb"[A-Za-z0-9]{1,40}",
    "Queue": rb"[!-~ ]{1,80}",
    "Interface": rb"[!-~]{1,120}",
    "StateInterface": rb"[!-~]{1,120}",
    "Paused": rb"[01]",
    "Penalty": rb"[0-9]{1,9}",
}
_PREAMBLE = (
    rb"Event: %s\r\nPrivilege: %s,all\r\n"
    rb"Timestamp: (?P<sec>[0-9]{9,11})\.(?P<usec>[0-9]{6})\r\n"
    rb"(?:SystemName: [^\r\n]*\r\n)?"
)
# A value of ours: what the dialplan's FILTERs can leave.
_OURS = rb"[A-Za-z0-9+/_.@; -]{0,120}"


def _line(header: str, captured: bool) -> bytes:
    name = header.removesuffix("?")
    by_end = (form for end, form in _BY_END.items() if name.endswith(end))
    value = _VALUE.get(name) or next(by_end, _TEXT)
    if captured:
        value = b"(?P<" + name.lower().encode() + b">" + value + b")"
    line = re.escape(name).encode() + b": ?+" + value + b"(?:\r\n|$)"
    return b"(?:" + line + b")?" if header.endswith("?") else line


def _part(header: str | tuple[str, ...], wanted: tuple[str, ...]) -> bytes:
    """Return the expression of one header, or of several that come or stay away together."""
    if isinstance(header, str):
        return _line(header, header.removesuffix("?") in wanted)
    return b"(?:" + b"".join(_part(one, wanted) for one in header) + b")?"


def _shape(name: str, wanted: tuple[str, ...]) -> re.Pattern[bytes]:
    lines = [_part(header, wanted) for header in names.WANTED[name]]
    if name == "UserEvent":
        lines.append(b"(?P<ours>(?:[A-Za-z]{1,20}: " + _OURS + b"(?:\r\n|$)){1,16})")
    privilege = names.CLASSES.get(name, "call").encode()
    return re.compile(_PREAMBLE % (name.encode(), privilege) + b"".join(lines))


def _ours_shape(layout: names.UserEventLayout) -> re.Pattern[bytes]:
    """Return what our own lines of a UserEvent must be: every field once, in order."""
    lines = (
        b"(?:"
        + name.encode()
        + b": ("
        + _OURS
        + b")(?:\r\n|$))"
        + (b"?" if name in layout.later else b"")
        for name in layout.fields
    )
    return re.compile(b"".join(lines))


@dataclass(slots=True)
class Counters:
    """What the decoder saw: events by fate."""

    decoded: int = 0
    unwanted: int = 0
    malformed: int = 0
    foreign: int = 0


_Build = Callable[["re.Match[bytes]", int], events.Event | None]


@dataclass(slots=True)
class Decoder:
    """Decodes packets; `token` is the secret that our dialplan puts into its UserEvents."""

    token: str = field(repr=False)
    counters: Counters = field(default_factory=Counters)

    def decode(self, packet: bytes) -> events.Event | None:
        """Return the event in a packet (without its blank line), None when there is none.

        Never raises: what is not wanted, not whole or not ours is counted.
        """
        known = _EVENTS.get(packet[: packet.find(b"\r\n")])
        if known is None:
            self.counters.unwanted += 1
            return None
        shape, build = known
        match = shape.fullmatch(packet)
        if match is None:
            self.counters.malformed += 1
            return None
        at = int(match["sec"]) * 1_000_000 + int(match["usec"])
        event = self._ours(match, at) if build is None else build(match, at)
        if event is None and build is not None:
            self.counters.unwanted += 1
        elif event is None:
            self.counters.foreign += 1
        else:
            self.counters.decoded += 1
        return event

    def _ours(self, match: re.Match[bytes], at: int) -> events.Event | None:
        """Return the event in one of our UserEvents; None for another's, or a wrong token."""
        known = _LAYOUTS.get(match["userevent"])
        if known is None:
            return None
        layout, shape = known
        ours = shape.fullmatch(match["ours"])
        if ours is None:
            return None
        texts = [text.decode() for text in ours.groups(b"")]
        value = dict(zip(layout.fields, texts, strict=True))
        if not hmac.compare_digest(value["Token"].encode(), self.token.encode()):
            return None
        try:
            return _user_event(layout, value, match, at)
        except ValueError:
            return None


_CALL_ID = re.compile(_ID.decode())
_NUMBER = re.compile(r"\+?[0-9]{0,16}")
_DIGITS = re.compile(rb"\+?[0-9]{2,15}")
_DIALLED = re.compile(rb"[0-9*#+]{1,30}")  # what an operator keyed in, feature codes too


def _user_event(
    layout: names.UserEventLayout, value: dict[str, str], match: re.Match[bytes], at: int
) -> events.Event:
    """Build the event of one of our UserEvents. Raises ValueError on a value of a wrong form."""
    call = value["CallId"]
    if not _CALL_ID.fullmatch(call):
        raise ValueError(call)
    channel = match["channel"].decode()
    leg = match["uniqueid"].decode()
    if layout is names.SCREENED:
        if value["Result"] == "asked":
            return events.ScreenBegan(at, call, leg)
        return events.Screened(at, call, leg, value["Result"] == "accepted")
    if layout is names.ORDERED_EVENT:
        return events.Ordered(at, call, leg, value["Stage"], value["Status"])
    if leg != call:
        raise ValueError(leg)
    if layout is names.STEP_ENDED:
        return events.StepEnded(at, call, int(value["Step"]), value["Status"])
    if layout is names.FELL_BACK:
        return events.FellBack(at, call, value["Reason"])
    if layout is names.CALLBACK_ASKED:
        return events.CallbackAsked(at, call, value["Queue"])
    if layout is names.VOICEMAIL:
        return events.VoicemailLeft(at, call, value["Mailbox"], value["Status"] == "SUCCESS")
    # A number of another form counts as hidden: the call is routed and recorded all the same.
    did, number = (
        text if _NUMBER.fullmatch(text) else "" for text in (value["Did"], value["Number"])
    )
    if layout is names.OFFERED:
        return events.Offered(at, call, channel, did, number, value["Key"])
    return events.Finished(
        at,
        call,
        channel,
        did,
        number,
        started=int(value["Started"]),
        step=int(value["Step"] or 0),
        status=value["Status"],
        answered_ms=int(value["AnsweredMs"] or 0),
        peer=value["Peer"],
        source=value["Source"],
    )


def _dial_began(match: re.Match[bytes], at: int) -> events.Event:
    leg, channel, dialled = _texts(match, "destuniqueid", "destchannel", "dialstring")
    linked, *dialler = _dialler(match)
    return events.DialBegan(at, linked, leg, channel, dialled, *dialler)


def _dial_ended(match: re.Match[bytes], at: int) -> events.Event:
    leg, channel, status = _texts(match, "destuniqueid", "destchannel", "dialstatus")
    linked, *dialler = _dialler(match)
    return events.DialEnded(at, linked, leg, channel, status, *dialler)


def _dialler(match: re.Match[bytes]) -> tuple[str, str, str, str, str]:
    """Return (Linkedid, Uniqueid, channel, number, extension) of the leg that dials.

    Only the leg's own Linkedid when the PBX itself dials. What a caller can choose counts as
    digits, or not at all.
    """
    linked = match["linkedid"]
    if linked is None:
        return match["destlinkedid"].decode(), "", "", "", ""
    number, exten = match.group("calleridnum", "exten")
    return (
        linked.decode(),
        match["uniqueid"].decode(),
        match["channel"].decode(),
        number.decode() if _DIGITS.fullmatch(number) else "",
        exten.decode() if _DIGITS.fullmatch(exten) else "",
    )


_IN_BRIDGE = ("linkedid", "uniqueid", "channel", "bridgeuniqueid")


def _joined(match: re.Match[bytes], at: int) -> events.Event | None:
    kind = match["bridgetype"]
    if kind == b"parking":
        return None  # music, and other parked callers: nobody to talk to
    linked, leg, channel, bridge = _texts(match, *_IN_BRIDGE)
    return events.Joined(at, linked, leg, channel, bridge, private=kind == b"basic")


def _left(match: re.Match[bytes], at: int) -> events.Event | None:
    if match["bridgetype"] == b"parking":
        return None
    return events.Left(at, *_texts(match, *_IN_BRIDGE))


def _held(match: re.Match[bytes], at: int) -> events.Event:
    return events.Held(at, *_texts(match, "linkedid", "uniqueid", "channel"))


def _resumed(match: re.Match[bytes], at: int) -> events.Event:
    return events.Resumed(at, *_texts(match, "linkedid", "uniqueid", "channel"))


def _blind_transfer(match: re.Match[bytes], at: int) -> events.Event | None:
    if match["result"] != b"Success":
        return None
    extension = match["extension"]
    linked, leg, channel = _texts(
        match, "transfererlinkedid", "transfereruniqueid", "transfererchannel"
    )
    return events.Transferred(
        at,
        linked,
        leg,
        channel,
        moved=(match["transfereeuniqueid"] or b"").decode(),
        exten=extension.decode() if _DIALLED.fullmatch(extension) else "",
    )


def _attended_transfer(match: re.Match[bytes], at: int) -> events.Event | None:
    if match["result"] != b"Success":
        return None
    linked, leg, channel = _texts(
        match, "origtransfererlinkedid", "origtransfereruniqueid", "origtransfererchannel"
    )
    return events.Transferred(
        at,
        linked,
        leg,
        channel,
        moved=(match["transfereeuniqueid"] or b"").decode(),
        target=(match["transfertargetuniqueid"] or b"").decode(),
        second=match["secondtransfereruniqueid"].decode(),
    )


def _picked_up(match: re.Match[bytes], at: int) -> events.Event:
    texts = _texts(
        match, "targetlinkedid", "uniqueid", "channel", "targetuniqueid", "targetchannel"
    )
    return events.PickedUp(at, *texts)


_PARKEE = ("parkeelinkedid", "parkeeuniqueid", "parkeechannel", "parkingspace")


def _parked(match: re.Match[bytes], at: int) -> events.Event:
    return events.Parked(at, *_texts(match, *_PARKEE, "parkerdialstring"))


def _unparked(match: re.Match[bytes], at: int) -> events.Event | None:
    if match["retrieveruniqueid"] is None:
        return None
    texts = _texts(match, *_PARKEE, "retrieveruniqueid", "retrieverchannel")
    return events.Unparked(at, *texts)


def _hangup_asked(match: re.Match[bytes], at: int) -> events.Event:
    return events.HangupAsked(at, *_texts(match, "linkedid", "uniqueid", "channel"))


def _hung_up(match: re.Match[bytes], at: int) -> events.Event:
    linked, leg, channel = _texts(match, "linkedid", "uniqueid", "channel")
    tech = (match["techcause"] or b"").rpartition(b" ")[2]
    return events.HungUp(
        at, linked, leg, channel, int(match["cause"]), int(tech) if tech.isdigit() else 0
    )


def _member(match: re.Match[bytes], at: int) -> events.Event:
    removed = match[0].startswith(b"Event: QueueMemberRemoved")
    paused = None if removed else match["paused"] == b"1"
    queue, device, interface, penalty = _texts(
        match, "queue", "stateinterface", "interface", "penalty"
    )
    reason = (match["pausedreason"] or b"").decode("utf-8", "replace")
    return events.MemberChanged(at, queue, device, paused, interface, int(penalty), reason)


def _device(match: re.Match[bytes], at: int) -> events.Event:
    return events.DeviceChanged(at, *_texts(match, "device", "state"))


def _texts(match: re.Match[bytes], *groups: str) -> list[str]:
    return [value.decode("utf-8", "replace") for value in match.group(*groups)]


_LEG = ("Uniqueid", "Linkedid", "Channel")
_DIALLER = (*_LEG, "CallerIDNum", "Exten", "DestUniqueid", "DestLinkedid", "DestChannel")
_BRIDGED = (*_LEG, "BridgeUniqueid", "BridgeType")
_TRANSFEREE = ("Result", "TransfereeUniqueid")
_ORIG = ("OrigTransfererUniqueid", "OrigTransfererLinkedid", "OrigTransfererChannel")
_TRANSFERER = ("TransfererUniqueid", "TransfererLinkedid", "TransfererChannel")
_MEMBER = ("Queue", "StateInterface", "Paused", "Interface", "Penalty", "PausedReason")
_PARKEE_LEG = ("ParkeeUniqueid", "ParkeeLinkedid", "ParkeeChannel", "ParkingSpace")
_WANTED: dict[str, tuple[tuple[str, ...], _Build | None]] = {
    "UserEvent": (("Channel", "Uniqueid", "UserEvent"), None),
    "DialBegin": ((*_DIALLER, "DialString"), _dial_began),
    "DialEnd": ((*_DIALLER, "DialStatus"), _dial_ended),
    "BridgeEnter": (_BRIDGED, _joined),
    "BridgeLeave": (_BRIDGED, _left),
    "Hold": (_LEG, _held),
    "Unhold": (_LEG, _resumed),
    "BlindTransfer": ((*_TRANSFEREE, *_TRANSFERER, "Extension"), _blind_transfer),
    "AttendedTransfer": (
        (*_TRANSFEREE, *_ORIG, "SecondTransfererUniqueid", "TransferTargetUniqueid"),
        _attended_transfer,
    ),
    "Pickup": (
        ("Channel", "Uniqueid", "TargetChannel", "TargetUniqueid", "TargetLinkedid"),
        _picked_up,
    ),
    "ParkedCall": ((*_PARKEE_LEG, "ParkerDialString"), _parked),
    "UnParkedCall": ((*_PARKEE_LEG, "RetrieverUniqueid", "RetrieverChannel"), _unparked),
    "HangupRequest": (_LEG, _hangup_asked),
    "Hangup": ((*_LEG, "Cause", "TechCause"), _hung_up),
    "DeviceStateChange": (("Device", "State"), _device),
    "QueueMemberAdded": (_MEMBER, _member),
    "QueueMemberRemoved": (_MEMBER, _member),
    "QueueMemberPause": (_MEMBER, _member),
}
_EVENTS: dict[bytes, tuple[re.Pattern[bytes], _Build | None]] = {
    b"Event: " + name.encode(): (_shape(name, captured), build)
    for name, (captured, build) in _WANTED.items()
}
# The names that are worth decoding; everything else is dropped unread.
READ = frozenset(_EVENTS)
_LAYOUTS = {layout.name.encode(): (layout, _ours_shape(layout)) for layout in names.USER_EVENTS}
