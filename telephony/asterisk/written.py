"""What Asterisk writes down about calls, read: the CDR as CSV or table rows, the queue_log.

A caller's number or name can carry line ends and is written as it is. In the CSV it stands in
quotes, and quotes are doubled, so that a reader of CSV is not fooled. In the queue_log it can break
its line and begin one of its own: a row counts only in the exact form of its event, and what comes
within reach behind a broken row counts not at all.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from telephony.ami.names import USERFIELD_DID
from telephony.domain.cdr import Attempt
from telephony.domain.queuelog import QueueRow

_ID = re.compile(r"(?:[A-Za-z0-9_.@ -]{1,60}-)?([0-9]{9,11})\.[0-9]{1,12}")
_RESULTS = ("ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION")
_COLUMNS = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp",
    "lastdata", "start", "answer", "end", "duration", "billsec", "disposition", "amaflags",
)  # fmt: skip
_QUARTER = 900
# How far behind a broken row one that a caller wrote can begin: a number carries 79 bytes.
_REACH = 160
_AGENTS = rb"[^|\r\n]{0,120}"
_NUMBER = rb"-?[0-9]{1,10}"
_EVENTS: dict[bytes, bytes] = {
    b"QUEUESTART": rb".{0,40}",
    b"ENTERQUEUE": rb"[^|]*\|[^|]*\|" + _NUMBER,
    b"CONNECT": _NUMBER + rb"\|[^|]{1,80}(?:\|" + _NUMBER + rb")?",
    b"ABANDON": rb"\|".join([_NUMBER] * 3),
    b"COMPLETECALLER": rb"\|".join([_NUMBER] * 3),
    b"COMPLETEAGENT": rb"\|".join([_NUMBER] * 3),
    b"EXITWITHTIMEOUT": rb"\|".join([_NUMBER] * 3),
    b"EXITEMPTY": rb"\|".join([_NUMBER] * 3),
    b"EXITWITHKEY": rb"[^|]{1,4}\|" + _NUMBER + rb"(?:\|" + _NUMBER + rb"){0,2}",
}
_ROW = re.compile(
    rb"([0-9]{9,11})\|([A-Za-z0-9_.@ -]{1,80})\|([^|\r\n]{1,80})\|(" + _AGENTS + rb")\|([A-Z]+)"
    rb"(?:\|(.*))?"
)


def queue_rows(data: bytes) -> list[QueueRow]:
    """Return the rows of a piece of the queue_log that tell of a call's way; the rest is left."""
    found: list[QueueRow] = []
    place = 0
    doubt_until = -1
    for line in data.split(b"\n"):
        begin, place = place, place + len(line) + 1
        if not line.strip():
            continue
        match = _ROW.fullmatch(line)
        shape = _EVENTS.get(match[5]) if match else None
        if match is None or (shape and not re.fullmatch(shape, match[6] or b"")):
            doubt_until = begin + len(line) + _REACH
            continue
        if shape is None or begin < doubt_until:
            continue
        second, call, queue, agent, event, rest = (
            (part or b"").decode("utf-8", "replace") for part in match.groups()
        )
        found.append(
            QueueRow(
                int(second) * 1_000_000,
                call if _ID.fullmatch(call) else "",
                queue,
                agent,
                event,
                tuple(rest.split("|")),
            )
        )
    return found


def cdr_rows(data: bytes) -> list[Attempt]:
    """Return the attempts in a piece of the CDR's CSV file that begins at a row's beginning."""
    text = data.decode("utf-8", "replace").replace("\0", "")
    rows: list[dict[str, str]] = []
    for row in csv.reader(io.StringIO(text, newline="")):
        if not len(_COLUMNS) < len(row) <= len(_COLUMNS) + 5:
            continue
        named = dict(zip(_COLUMNS, row, strict=False))
        # What follows depends on loguniqueid, loguserfield and newcdrcolumns.
        ids = [value for value in row[len(_COLUMNS) :] if _ID.fullmatch(value)]
        if ids:
            named |= {"uniqueid": ids[0], "linkedid": ids[1] if len(ids) > 1 else ""}
            # The dialplan writes the DID into the userfield, for a CSV has no column for it.
            dids = [value for value in row[len(_COLUMNS) :] if value.startswith(USERFIELD_DID)]
            named["did"] = dids[0].removeprefix(USERFIELD_DID) if dids else ""
            rows.append(named)
    return attempts(rows)


def attempts(rows: Iterable[Mapping[str, Any]]) -> list[Attempt]:
    """Return the attempts in rows of the CDR by their column names; unreadable ones are left out.

    Columns: uniqueid, channel, dstchannel, src, dst, disposition; linkedid and did if there;
    start, answer, end, or calldate, duration and billsec. The times may be of any zone: a call's
    Uniqueid begins with the second it came.
    """
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        uniqueid, linkedid = _text(row, "uniqueid"), _text(row, "linkedid")
        if _ID.fullmatch(uniqueid) and _text(row, "disposition") in _RESULTS:
            groups.setdefault(linkedid if _ID.fullmatch(linkedid) else uniqueid, []).append(row)
    return [attempt for call, group in groups.items() for attempt in _attempts_of(call, group)]


def _attempts_of(call: str, rows: Sequence[Mapping[str, Any]]) -> list[Attempt]:
    timed = [(row, times) for row in rows if (times := _times(row)) is not None]
    if not timed:
        return []
    shift = min(_shift(_text(row, "uniqueid"), start) for row, (start, _, _) in timed)
    return [
        Attempt(
            call=call,
            uniqueid=_text(row, "uniqueid"),
            channel=_text(row, "channel"),
            peer=_text(row, "dstchannel"),
            source=_text(row, "src"),
            target=_text(row, "dst"),
            did=_text(row, "did"),
            started_at=(start - shift) * 1_000_000,
            answered_at=None if answer is None else (answer - shift) * 1_000_000,
            ended_at=(end - shift) * 1_000_000,
            result=_text(row, "disposition"),
        )
        for row, (start, answer, end) in timed
    ]


def zone_shift(uniqueid: str, start: datetime) -> int:
    """Return by how many seconds a CDR's naive time is ahead of UTC; 0 without a Uniqueid."""
    return _shift(uniqueid, int(start.replace(tzinfo=UTC).timestamp()))


def _shift(uniqueid: str, start: int) -> int:
    came = _ID.fullmatch(uniqueid)
    return round((start - int(came[1])) / _QUARTER) * _QUARTER if came else 0


def _times(row: Mapping[str, Any]) -> tuple[int, int | None, int] | None:
    """Return (start, answer, end) in seconds, as if the row's zone were UTC."""
    try:
        duration, billsec = int(row.get("duration") or 0), int(row.get("billsec") or 0)
    except ValueError:
        return None
    start = _second(row.get("start") or row.get("calldate"))
    if start is None:
        return None
    # Counted from the start: the clocks may have been changed before the end.
    end = start + duration if duration else max(start, _second(row.get("end")) or start)
    answered = billsec or _second(row.get("answer")) is not None
    return start, max(start, end - billsec) if answered else None, end


def _second(value: object) -> int | None:
    if not value:
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return None
    # A table's time zone, where it has one, is the PBX's or the server's: the id tells better.
    return int(moment.replace(tzinfo=UTC).timestamp())


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value)[:200]
