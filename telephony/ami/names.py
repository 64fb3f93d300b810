"""Every name that Dutyline and Asterisk share, once.

The dialplan is generated from these names, the event filters in manager.conf and the decoder are
built from `WANTED`, and docs/dialplan.md is tested against both.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from telephony.domain.membership import MOBILE_CONTEXT
from telephony.domain.orders import CLIENT_FIRST, OPERATOR_FIRST
from telephony.domain.routing.draft import MOST_STEPS

# Contexts.
INCOMING = "dutyline-incoming"
ROUTE = "dutyline-route"
STEPS = "dutyline-steps"
SCREEN = "dutyline-screen"
HANGUP = "dutyline-hangup"
TRANSFER = "dutyline-transfer"
FALLBACK = "dutyline-fallback"
QUEUE_KEYS = "dutyline-queue"  # what keys do for callers who wait
MOBILE = MOBILE_CONTEXT  # mobiles that are members of queues
ORDER = OPERATOR_FIRST  # dials the operator of a call that Dutyline ordered …
ACCEPT = "dutyline-accept"  # … who is told whom it is for, and asked
ORDERED = "dutyline-ordered"  # … and then the client
RECALL = CLIENT_FIRST  # dials the client first …
RECALLED = "dutyline-recalled"  # … who is then put through like a caller
GREET = "dutyline-greet"  # what a client who is called hears first
DIALLED = "dutyline-dialled"  # says how the dialling ended, and clears up
FEATURES = "dutyline-features"  # feature codes and hints for lamps
ORDER_CONTEXTS = (ORDER, ACCEPT, ORDERED, RECALL, RECALLED, GREET, DIALLED)
CONTEXTS = (
    INCOMING, ROUTE, STEPS, SCREEN, HANGUP, TRANSFER, FALLBACK, QUEUE_KEYS, MOBILE, FEATURES,
    *ORDER_CONTEXTS,
)  # fmt: skip

NO_QUEUE = "NOQUEUE"  # the status of a step whose queue the PBX does not have

# Why the fallback was taken: no heartbeat, no plan in time, a plan that ran out without an end, a
# queue that the PBX does not have, the plan said so, a transfer that reached nobody.
FALLBACK_REASONS = ("stale", "late", "broken", "noqueue", "planned", "transfer")

# Variables. The listener sets those of the plan and the heartbeat; the rest are the dialplan's.
HEARTBEAT = "DL_HB"  # global: the PBX's epoch at the listener's last heartbeat
PLAN = "DL_PLAN"  # commit: how many steps there are; set last
STEP = "DL_STEP_"  # + n: kind,seconds,target&target
CLIENT_NAME = "DL_NAME"  # what was dialled and who calls, shown on operators' phones
CALL = "DL_CALL"
DID = "DL_DID"
KEY = "DL_KEY"  # what the caller pressed in a menu, `-` for nothing
MAILBOX = "DL_BOX"
# Those of a call that is ordered, see docs/dialplan.md.
UNTIL = "DL_UNTIL"  # the PBX's epoch after which an order is not begun any more
CLIENT_UNTIL = "DL_CLIENT_UNTIL"  # … and after which its client is not dialled any more
DESK = "DL_DESK"  # the endpoint of the operator who is called first, or
WHOM = "DL_WHOM"  # … the number of a mobile, as their trunk has it
WHOM_BY = "DL_WHOM_BY"  # … and that trunk's endpoint
TO = "DL_CLIENT"  # the client's number
TO_LINE = "DL_LINE"  # … as it is dialled
TO_BY = "DL_LINE_BY"  # … and the trunk it is dialled through, empty for the usual one
SHOWN = "DL_SHOWN"  # the number that the client sees
RING = "DL_RING"  # seconds the operator's phone rings
CLIENT_RING = "DL_CLIENT_RING"  # … and the client's
LONGEST = "DL_LONGEST"  # milliseconds after which a conversation is ended
NAME = "DL_CALLED"  # the client's name, percent-encoded
LANGUAGE = "DL_LANGUAGE"  # the client's
GREETING = "DL_GREETING"  # a sound that the client hears first
ASKED = "DL_PRESS"  # 1: the client has to press 1
MACHINES = "DL_AMD"  # 1: Asterisk listens for an answering machine
ORDER_VARIABLES = (
    UNTIL, CLIENT_UNTIL, DESK, WHOM, WHOM_BY, TO, TO_LINE, TO_BY, SHOWN, RING, CLIENT_RING,
    LONGEST, NAME, LANGUAGE, GREETING, ASKED, MACHINES, DID,
)  # fmt: skip
LINES = "dutyline-line"  # the category of groups of callers, by last digits: who is on the line
FENCES = "dutyline-orders"  # the family of the PBX's database that keeps which orders were dialled
FENCE_SECONDS = 86_400  # how long it does
USERFIELD_DID = "did="  # before the DID in the userfield of a CDR

# Below Asterisk's sounds: announcements that were uploaded. And the context of our mailboxes.
SOUNDS = "dutyline"
MAILBOXES = "dutyline"
MAX_STEPS = MOST_STEPS
HEARTBEAT_STALE_SECONDS = 5
FINE_WAIT = (0.1, 0.001)  # seconds to wait, seconds between looks
COARSE_WAIT = (1.4, 0.02)

# Digits a DID may have; one dialplan pattern for each length.
DID_DIGITS = range(2, 16)


@dataclass(frozen=True, slots=True)
class UserEventLayout:
    """A UserEvent of ours: its fields in the order in which the dialplan sends them.

    `later` are the last of them that a dialplan written by an older version does not send yet.
    """

    name: str
    fields: tuple[str, ...]
    later: frozenset[str] = frozenset()


OFFERED = UserEventLayout(
    "DutylineIncoming", ("CallId", "Token", "Did", "Number", "Key"), frozenset({"Key"})
)
STEP_ENDED = UserEventLayout("DutylineStep", ("CallId", "Token", "Step", "Status"))
FELL_BACK = UserEventLayout("DutylineFallback", ("CallId", "Token", "Reason"))
SCREENED = UserEventLayout("DutylineScreen", ("CallId", "Token", "Result"))
CALLBACK_ASKED = UserEventLayout("DutylineCallback", ("CallId", "Token", "Queue"))
FINISHED = UserEventLayout(
    "DutylineEnd",
    (
        "CallId",
        "Token",
        "Did",
        "Number",
        "Started",
        "Step",
        "Status",
        "AnsweredMs",
        "Peer",
        "Source",
    ),
)
VOICEMAIL = UserEventLayout("DutylineVoicemail", ("CallId", "Token", "Mailbox", "Status"))
ORDERED_EVENT = UserEventLayout("DutylineOrder", ("CallId", "Token", "Stage", "Status"))
USER_EVENTS = (
    OFFERED,
    STEP_ENDED,
    FELL_BACK,
    SCREENED,
    CALLBACK_ASKED,
    VOICEMAIL,
    ORDERED_EVENT,
    FINISHED,
)


def proof_of(token: str) -> str:
    """Return the name of the extension that shows which token a dialplan was made with."""
    return "token-" + hashlib.sha256(token.encode()).hexdigest()[:12]


def dialler_of(user: str, secret: str) -> tuple[str, str]:
    """Return the name and the secret of the manager user that places calls.

    One of its own, since the listener's must not be able to: its secret is made from the other.
    """
    proof = hmac.new(secret.encode(), b"dutyline dialler", hashlib.sha256).hexdigest()
    return f"{user}-dial", proof[:40]


def _channel(prefix: str = "") -> tuple[str, ...]:
    return tuple(
        prefix + header
        for header in (
            "Channel",
            "ChannelState",
            "ChannelStateDesc",
            "CallerIDNum",
            "CallerIDName",
            "ConnectedLineNum",
            "ConnectedLineName",
            "Language",
            "AccountCode",
            "Context",
            "Exten",
            "Priority",
            "Uniqueid",
            "Linkedid",
        )
    )


CHANNEL_HEADERS = _channel()
_DEST = _channel("Dest")


def _bridge(prefix: str = "") -> tuple[str, ...]:
    return tuple(
        prefix + header
        for header in (
            "BridgeUniqueid",
            "BridgeType",
            "BridgeTechnology",
            "BridgeCreator",
            "BridgeName",
            "BridgeNumChannels",
            "BridgeVideoSourceMode",
            "BridgeVideoSource?",
        )
    )


_BRIDGE = _bridge()
_PARKING = ("ParkerDialString", "Parkinglot", "ParkingSpace", "ParkingTimeout", "ParkingDuration")

_MEMBER = (
    "Queue",
    "MemberName",
    "Interface",
    "StateInterface",
    "Membership?",
    "Penalty",
    "CallsTaken",
    "LastCall",
    "LastPause?",
    "LoginTime?",
    "InCall?",
    "Status",
    "Paused",
    "PausedReason?",
    "Ringinuse?",
    "Wrapuptime?",
)

# The events that are read, with their headers in Asterisk's fixed order: "?" may be absent, and a
# tuple may be absent as a whole. Nothing else is subscribed to, decoded or documented.
Headers = tuple[str | tuple[str, ...], ...]
WANTED: dict[str, Headers] = {
    "UserEvent": (*CHANNEL_HEADERS, "UserEvent"),
    "DialBegin": (CHANNEL_HEADERS, *_DEST, "DialString"),
    "DialEnd": (CHANNEL_HEADERS, *_DEST, "DialStatus", "Forward?"),
    "BridgeEnter": (*_BRIDGE, *CHANNEL_HEADERS, "SwapUniqueid?"),
    "BridgeLeave": (*_BRIDGE, *CHANNEL_HEADERS),
    "Hold": (*CHANNEL_HEADERS, "MusicClass?"),
    "Unhold": CHANNEL_HEADERS,
    "BlindTransfer": (
        "Result",
        *_channel("Transferer"),
        _channel("Transferee"),
        _BRIDGE,
        "IsExternal",
        "Context",
        "Extension",
    ),
    "AttendedTransfer": (
        "Result",
        *_channel("OrigTransferer"),
        _bridge("Orig"),
        *_channel("SecondTransferer"),
        _bridge("Second"),
        _channel("Transferee"),
        _channel("TransferTarget"),
        "IsExternal",
        "DestType",
        "DestBridgeUniqueid?",
        "DestApp?",
        _channel("LocalOne"),
        _channel("LocalTwo"),
        "DestTransfererChannel?",
    ),
    "Pickup": (*CHANNEL_HEADERS, *_channel("Target")),
    "ParkedCall": (*_channel("Parkee"), *_PARKING),
    "UnParkedCall": (*_channel("Parkee"), _channel("Retriever"), *_PARKING),
    "HangupRequest": (*CHANNEL_HEADERS, "Cause?", "TechCause?"),
    "Hangup": (*CHANNEL_HEADERS, "Cause", "Cause-txt", "TechCause?"),
    "DeviceStateChange": ("Device", "State"),
    "QueueMemberAdded": _MEMBER,
    "QueueMemberRemoved": _MEMBER,
    "QueueMemberPause": _MEMBER,
}
# The class of an event that a manager user must be allowed to read, `call` for all others.
CLASSES = {"UserEvent": "user"} | {
    name: "agent" for name in WANTED if name.startswith("QueueMember")
}
READ = ",".join(("call", *sorted({*CLASSES.values()})))
