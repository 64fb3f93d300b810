"""What FreePBX exports, into the set-up: extensions, DIDs and queues that are not there yet.

Extensions and DIDs are CSV files of its Bulk Handler, queues its `queues_additional.conf`. What is
in the set-up already stays as it is.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from telephony.configfile.comparing import index_of
from telephony.configfile.nodes import Data, Entry
from telephony.domain.numbers import EXTENSION, normalise
from telephony.domain.queueing import LIMITS, Strategy

_LONGEST_NAME = 100
_DID = re.compile(r"\+?([0-9]{3,15})", re.ASCII)
_QUEUE = re.compile(r"ext-queues,([0-9]{1,10}),1", re.ASCII)
_SECTION = re.compile(r"\[([0-9]{1,10})\]", re.ASCII)
_MEMBER = re.compile(r"(?:Local|PJSIP)/([0-9]{2,10})(?:@from-queue/n)?(?:,.*)?", re.ASCII)
_SECONDS = {"timeout": "ring_seconds", "wrapuptime": "wrapup_seconds"}


class NoExportError(ValueError):
    """A file is not what FreePBX exports; the message says what is missing."""


@dataclass
class Brought:
    """What the files hold, and what could not be taken from them, in words."""

    operators: list[Entry] = field(default_factory=list)
    groups: list[Entry] = field(default_factory=list)
    dids: list[Entry] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def put(self, data: Data) -> None:
        """Add to a set-up's plain data what it does not have."""
        for section, entries in (
            ("operators", self.operators),
            ("groups", self.groups),
            ("dids", self.dids),
        ):
            for entry in entries:
                key = entry["name"] if section == "groups" else next(iter(entry.values()))
                if not _has(data, section, key):
                    data[section].append(dict(entry))
        known = {str(one["extension"]) for one in data["operators"]}
        for group in data["groups"]:
            if "shifts" in group:
                group["shifts"] = [one for one in group["shifts"] if one["operator"] in known]


def _has(data: Data, section: str, key: str) -> bool:
    try:
        index_of(data, section, key)
    except LookupError:
        return False
    return True


def bring(
    extensions: bytes | None,
    dids: bytes | None,
    queues: bytes | None,
    *,
    group: str,
    zone: str,
    country: str,
) -> Brought:
    """Return what the files hold, each of which may be None.

    `group` is on duty for DIDs that lead to no queue, and is made in `zone` when there is none;
    `country` is that of mobiles without `+`. Raises NoExportError.
    """
    found = Brought()
    if extensions is not None:
        _extensions(found, _rows(extensions, "extension", "name", "tech"), country)
    if queues is not None:
        _queues(found, queues.decode("utf-8", "replace"), zone)
    if dids is not None:
        found.groups.append({"name": group, "zone": zone})
        _dids(found, _rows(dids, "extension", "destination"), group)
    return found


def _rows(data: bytes, *columns: str) -> Iterator[dict[str, str]]:
    text = data.decode("utf-8-sig", "replace").replace("\0", "")
    reader = csv.DictReader(io.StringIO(text, newline=""))
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    if missing:
        raise NoExportError(f"no column {', '.join(missing)}: export it anew with Bulk Handler")
    for row in reader:
        yield {name: (value or "").strip() for name, value in row.items() if isinstance(name, str)}


def _extensions(found: Brought, rows: Iterator[dict[str, str]], country: str) -> None:
    for row in rows:
        extension, tech = row["extension"], row["tech"].lower()
        if not EXTENSION.fullmatch(extension):
            found.left_out.append(f"extension {extension!r}: not 2 to 10 digits")
            continue
        if tech != "pjsip":
            found.left_out.append(f"extension {extension}: {tech or 'no'} device, not PJSIP")
            continue
        name = row["name"] or row.get("description", "") or extension
        entry: Entry = {"extension": extension, "name": name[:_LONGEST_NAME]}
        # Numbers outside end in # there; ours is one mobile for each operator.
        outside = [
            part.removesuffix("#")
            for part in row.get("findmefollow_grplist", "").split("-")
            if part.endswith("#")
        ]
        mobiles = [number for one in outside if (number := normalise(one, country))]
        if len(mobiles) == 1:
            entry["mobile"] = mobiles[0]
        elif outside:
            found.left_out.append(f"extension {extension}: follow me {', '.join(outside)}")
        found.operators.append(entry)


def _queues(found: Brought, text: str, zone: str) -> None:
    current: Entry | None = None
    for line in text.splitlines():
        bare = line.partition(";")[0].strip()
        section = _SECTION.fullmatch(bare)
        if section is not None:
            queue: Entry = {"name": section[1]}
            current = {"name": _group(section[1]), "zone": zone, "queue": queue, "shifts": []}
            found.groups.append(current)
        elif bare.startswith("["):
            current = None
        elif current is not None and "=" in bare:
            key, _, value = bare.partition("=")
            _setting(found, current, key.strip(), value.removeprefix(">").strip())


def _setting(found: Brought, group: Entry, key: str, value: str) -> None:
    queue = group["queue"]
    if key == "member":
        member = _MEMBER.fullmatch(value)
        if member is None:
            found.left_out.append(f"{group['name']}: member {value[:60]!r}")
            return
        # A member of FreePBX's is there at any time, until the roster says otherwise.
        shift = {"operator": member[1], "days": "daily", "start": "00:00", "end": "24:00"}
        group["shifts"].append(shift)
    elif key == "strategy" and value in [each.value for each in Strategy]:
        queue["strategy"] = value
    elif key in _SECONDS and value.isascii() and value.isdigit():
        low, high = LIMITS[_SECONDS[key]]
        queue[_SECONDS[key]] = str(min(max(int(value), low), high))


def _dids(found: Brought, rows: Iterator[dict[str, str]], group: str) -> None:
    ours = {str(one["name"]) for one in found.groups}
    for row in rows:
        did = _DID.fullmatch(row["extension"])
        if did is None:
            found.left_out.append(f"inbound route {row['extension'] or 'for any DID'!r}")
            continue
        queue = _QUEUE.fullmatch(row["destination"])
        of_queue = _group(queue[1]) if queue else ""
        entry: Entry = {"number": did[1], "group": of_queue if of_queue in ours else group}
        if title := row.get("description", "")[:_LONGEST_NAME]:
            entry["title"] = title
        if not any(one["number"] == did[1] for one in found.dids):
            found.dids.append(entry)


def _group(queue: str) -> str:
    return f"queue {queue}"
