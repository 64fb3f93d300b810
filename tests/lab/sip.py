"""SIP messages, digest authentication and SDP as pure functions (RFC 3261, 2617, 4566)."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

_COMPACT = {
    "v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length",
    "c": "content-type", "k": "supported", "r": "refer-to", "b": "referred-by", "o": "event",
}  # fmt: skip
REASONS = {
    100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 202: "Accepted",
    404: "Not Found", 405: "Method Not Allowed", 480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist", 486: "Busy Here", 487: "Request Terminated",
    488: "Not Acceptable Here", 491: "Request Pending", 503: "Service Unavailable",
    603: "Decline",
}  # fmt: skip

Headers = list[tuple[str, str]]


class SipError(ValueError):
    """A datagram or a field that is not SIP."""


@dataclass
class Message:
    """A request or a response; header names are lower case and long, values stripped."""

    start: str
    headers: Headers
    body: bytes = b""

    @property
    def is_response(self) -> bool:
        """Whether this is a response."""
        return self.start.startswith("SIP/2.0 ")

    @property
    def status(self) -> int:
        """The status code of a response, 0 for a request."""
        return int(self.start.split(" ")[1]) if self.is_response else 0

    @property
    def method(self) -> str:
        """The method, for a response the one of its request."""
        return self.cseq[1] if self.is_response else self.start.split(" ")[0]

    @property
    def uri(self) -> str:
        """The request's address, empty for a response."""
        return "" if self.is_response else self.start.split(" ")[1]

    @property
    def cseq(self) -> tuple[int, str]:
        """CSeq as (number, method)."""
        number, _, method = self.get("cseq").partition(" ")
        return int(number), method.strip()

    @property
    def call_id(self) -> str:
        """Call-ID."""
        return self.get("call-id")

    @property
    def branch(self) -> str:
        """The branch of the topmost Via, empty when it has none."""
        found = re.search(r";\s*branch=([^;,\s]+)", self.get("via"))
        return found[1] if found else ""

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of a header."""
        return next((value for key, value in self.headers if key == name), default)

    def get_all(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [value for key, value in self.headers if key == name]


def parse(data: bytes) -> Message:
    """Parse a datagram; raises SipError when it is not a SIP message with its main headers."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "surrogateescape")).split("\r\n")
    headers: Headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise SipError(f"not a header: {line!r}")
        name = name.strip().lower()
        headers.append((_COMPACT.get(name, name), value.strip()))
    message = Message(lines[0], headers, body)
    if not re.fullmatch(r"SIP/2\.0 \d{3}( .*)?|[A-Z]+ \S+ SIP/2\.0", lines[0]):
        raise SipError(f"not a first line of SIP: {lines[0]!r}")
    if not re.fullmatch(r"\d+\s+[A-Z]+", message.get("cseq")):
        raise SipError("no CSeq")
    if not (message.call_id and message.get("from") and message.get("to") and message.get("via")):
        raise SipError("Call-ID, From, To or Via is absent")
    return message


def build(start: str, headers: Iterable[tuple[str, str]], body: bytes = b"") -> bytes:
    """Return the bytes of a message, with its Content-Length."""
    lines = [start, *(f"{name}: {value}" for name, value in headers)]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + body


def response(
    request: Message,
    status: int,
    tag: str = "",
    extra: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> bytes:
    """Return the bytes of a response; `tag` is added to a To that has none."""
    to = request.get("to")
    if tag and status > 100 and not tag_of(to):
        to += f";tag={tag}"
    headers: Headers = [("Via", value) for value in request.get_all("via")]
    headers += [("Record-Route", value) for value in request.get_all("record-route")]
    headers += [
        ("From", request.get("from")),
        ("To", to),
        ("Call-ID", request.call_id),
        ("CSeq", request.get("cseq")),
        *extra,
    ]
    if body:
        headers.append(("Content-Type", "application/sdp"))
    return build(f"SIP/2.0 {status} {REASONS.get(status, 'Status')}", headers, body)


def new_token(size: int = 8) -> str:
    """Return a random token of 2 * `size` hexadecimal digits, for tags, branches and Call-IDs."""
    return secrets.token_hex(size)


def tag_of(value: str) -> str:
    """Return the tag of a From or To value, empty when it has none."""
    found = re.search(r";\s*tag=([^;>\s]+)", value.rpartition(">")[2])
    return found[1] if found else ""


def uri_of(value: str) -> str:
    """Return the address in a From, To or Contact value."""
    found = re.search(r"<([^>]*)>", value)
    return found[1] if found else value.partition(";")[0].strip()


def user_of(value: str) -> str:
    """Return the user part of an address or of a header value that holds one."""
    found = re.match(r"(?:sips?|tel):([^@;>]*)", uri_of(value))
    return found[1] if found else ""


def name_of(value: str) -> str:
    """Return the display name of a From or To value, unquoted; empty when it has none."""
    name = value.partition("<")[0].strip() if "<" in value else ""
    if name.startswith('"') and name.endswith('"'):
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return name


def quoted(name: str) -> str:
    """Return a display name as a quoted string."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def digest_authorization(
    challenge: str, method: str, uri: str, *, user: str, password: str, cnonce: str = ""
) -> str:
    """Answer a WWW-Authenticate or Proxy-Authenticate value (MD5, with or without qop=auth).

    Raises SipError when the challenge asks for something else.
    """
    values = {
        key.lower(): quoted_value or bare
        for key, quoted_value, bare in re.findall(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))', challenge)
    }
    if not challenge.lower().startswith("digest") or not {"realm", "nonce"} <= values.keys():
        raise SipError(f"not a digest challenge: {challenge!r}")
    if values.get("algorithm", "MD5").upper() != "MD5":
        raise SipError(f"unknown digest algorithm: {values['algorithm']}")
    first = _md5(f"{user}:{values['realm']}:{password}")
    second = _md5(f"{method}:{uri}")
    parts = [
        f'username="{user}"',
        f'realm="{values["realm"]}"',
        f'nonce="{values["nonce"]}"',
        f'uri="{uri}"',
        "algorithm=MD5",
    ]
    if "qop" in values:
        if "auth" not in re.split(r"[,\s]+", values["qop"]):
            raise SipError(f"unknown qop: {values['qop']}")
        cnonce = cnonce or new_token(4)
        answer = _md5(f"{first}:{values['nonce']}:00000001:{cnonce}:auth:{second}")
        parts += ["qop=auth", "nc=00000001", f'cnonce="{cnonce}"']
    else:
        answer = _md5(f"{first}:{values['nonce']}:{second}")
    parts.append(f'response="{answer}"')
    if "opaque" in values:
        parts.append(f'opaque="{values["opaque"]}"')
    return "Digest " + ", ".join(parts)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Media:
    """The audio of an SDP: where to send it, its direction, the payload type of DTMF events."""

    host: str
    port: int
    mode: str = "sendrecv"
    events: int = 101
    payloads: tuple[int, ...] = field(default=(8, 0))


def build_sdp(media: Media, session: int, version: int) -> bytes:
    """Return an SDP with A-law, µ-law and DTMF events; `version` grows in each new offer."""
    codecs = "".join(f"a=rtpmap:{one} {'PCMA' if one == 8 else 'PCMU'}/8000\r\n"
                     for one in media.payloads)  # fmt: skip
    return (
        f"v=0\r\no=- {session} {version} IN IP4 {media.host}\r\ns=-\r\n"
        f"c=IN IP4 {media.host}\r\nt=0 0\r\n"
        f"m=audio {media.port} RTP/AVP {' '.join(map(str, media.payloads))} {media.events}\r\n"
        f"{codecs}a=rtpmap:{media.events} telephone-event/8000\r\n"
        f"a=fmtp:{media.events} 0-16\r\na=ptime:20\r\na={media.mode}\r\n"
    ).encode()


def parse_sdp(body: bytes) -> Media | None:
    """Return the first audio of an SDP, None when it has none."""
    text = body.decode("utf-8", "replace")
    audio = re.search(r"^m=audio (\d+) \S+ ([\d ]+)", text, re.M)
    host = re.search(r"^c=IN IP4 (\S+)", text, re.M)
    if not audio or not host:
        return None
    mode = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", text, re.M)
    events = re.search(r"^a=rtpmap:(\d+) telephone-event/8000", text, re.M)
    return Media(
        host[1],
        int(audio[1]),
        mode[1] if mode else "sendrecv",
        int(events[1]) if events else 101,
        tuple(int(one) for one in audio[2].split() if int(one) in (0, 8)),
    )
