"""Reading a calendar in a process of its own, which is ended when it takes too much.

That bounds what no check of the text can: a rule that is true on no day makes the library look
until the year 9999. It also keeps the zones that a file defines from other files.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import telephony
from telephony.domain.duty.calendars import Attendee, Complaint, Flaw, Happening
from telephony.ical.reading import Calendar, CalendarError, Fault, read_calendar

CPU_SECONDS = 2
_WALL_SECONDS = 12.0  # on a machine that is busy with other things
_MEMORY = 768 * 1024 * 1024
_KEPT = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "LANG", "LC_ALL", "TMPDIR")
_MODULE = "telephony.ical.bounded"


def read_bounded(text: str, zone: str, since: datetime, until: datetime) -> Calendar:
    """Return `read_calendar`'s answer. Raises CalendarError, TOO_SLOW after 2 s of work."""
    order = json.dumps([text, zone, since.isoformat(), until.isoformat()])
    try:
        done = subprocess.run(  # noqa: S603
            (sys.executable, "-W", "ignore", "-m", _MODULE),
            input=order.encode(),
            capture_output=True,
            timeout=_WALL_SECONDS,
            check=False,
            env=_environment(),
        )
    except subprocess.TimeoutExpired:
        raise CalendarError(Fault.TOO_SLOW, f"{_WALL_SECONDS:g} s") from None
    if done.returncode < 0:
        raise CalendarError(Fault.TOO_SLOW, f"{CPU_SECONDS} s")
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise CalendarError(Fault.BROKEN, said[:200])
    answer = json.loads(done.stdout)
    if "fault" in answer:
        raise CalendarError(Fault(answer["fault"]), answer["detail"])
    return _calendar(answer)


def _environment() -> dict[str, str]:
    """Return what Python needs to start, and none of our secrets: the text is a stranger's."""
    here = str(Path(telephony.__file__).parents[1])
    paths = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {"PYTHONPATH": paths}


def _calendar(answer: dict[str, Any]) -> Calendar:
    return Calendar(
        answer["name"],
        tuple(
            Happening(
                datetime.fromisoformat(start),
                datetime.fromisoformat(end),
                title,
                tuple(categories),
                tuple(Attendee(*who) for who in invited),
                free,
                away,
            )
            for start, end, title, categories, invited, free, away in answer["happenings"]
        ),
        tuple(
            Complaint(Flaw(flaw), title, text, datetime.fromisoformat(at) if at else None)
            for flaw, title, text, at in answer["complaints"]
        ),
    )


def _answer(calendar: Calendar) -> dict[str, Any]:
    return {
        "name": calendar.name,
        "happenings": [
            (
                one.start.isoformat(),
                one.end.isoformat(),
                one.title,
                one.categories,
                [(who.name, who.mail) for who in one.invited],
                one.free,
                one.away,
            )
            for one in calendar.happenings
        ],
        "complaints": [
            (one.flaw, one.title, one.text, one.at.isoformat() if one.at else None)
            for one in calendar.complaints
        ],
    }


def _main() -> None:
    """Answer on standard output the order that comes by standard input."""
    # The hard limit lies above the soft one: the kernel's signal of the soft one ends the process.
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    text, zone, since, until = json.load(sys.stdin)
    try:
        answer = _answer(
            read_calendar(text, zone, datetime.fromisoformat(since), datetime.fromisoformat(until))
        )
    except CalendarError as error:
        answer = {"fault": error.fault, "detail": error.detail}
    except (MemoryError, RecursionError) as error:
        answer = {"fault": Fault.BROKEN, "detail": type(error).__name__}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    _main()
