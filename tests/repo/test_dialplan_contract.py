"""docs/dialplan.md names what Dutyline and Asterisk share: all of it, and nothing else."""

from __future__ import annotations

import re

from telephony.ami import names
from telephony.asterisk.dialplan import dialplan
from telephony.asterisk.lines import DialplanOptions, Fallback
from telephony.asterisk.manager import WRITE, ManagerOptions, manager
from tests.repo.files import codes, documents, first_codes, read, section, table

TEXT = read("docs/dialplan.md")
TOKEN = "token-0123456789"
# Devices, keys and a user that look like contexts.
OTHERS = (
    "dutyline-pause",
    "dutyline-closed",
    names.FENCES,
    names.LINES,
    names.dialler_of("dutyline", "")[0],
)
DIALPLANS = "\n".join(
    dialplan(DialplanOptions(TOKEN, fallback, trunk, context))
    for fallback, trunk, context in (
        (Fallback("queue", "support"), "provider", "from-internal"),
        (Fallback("endpoints", "106&107"), None, None),
    )
)


def test_contexts() -> None:
    assert tuple(first_codes(section(TEXT, "Contexts"))) == names.CONTEXTS
    for path in documents():
        named = set(re.findall(r"(?<![\w./-])dutyline-[a-z]+", path.read_text()))
        assert named <= {*names.CONTEXTS, *OTHERS}, path.name


def test_variables() -> None:
    shared = {names.HEARTBEAT, names.PLAN, f"{names.STEP}n", names.CLIENT_NAME, names.CALL}
    assert set(first_codes(section(TEXT, "Variables"))) == {*shared, names.DID}
    used = set(re.findall(r"DL_[A-Z]+(?:_\$|\b)", DIALPLANS))
    used = {f"{names.STEP}n" if name == f"{names.STEP}$" else name for name in used}
    named = set(re.findall(r"DL_[A-Z]+(?:_n)?\b", re.sub(r"DL_STEP_\d+", "DL_STEP_n", TEXT)))
    assert named == used


def test_user_events_with_their_fields_in_order() -> None:
    rows = table(section(TEXT, "UserEvents"))
    found = {codes(row[0])[0]: tuple(codes(row[1])) for row in rows}
    assert found == {layout.name: layout.fields for layout in names.USER_EVENTS}
    assert set(re.findall(r"\bDutyline[A-Z]\w+", TEXT)) == set(found)


def test_events_that_are_read() -> None:
    rows = table(section(TEXT, "Events that are read"))
    assert [codes(row[0])[0] for row in rows] == list(names.WANTED)
    assert all(row[1] for row in rows)


def test_fallback_reasons() -> None:
    found = first_codes(section(TEXT, "Fallback reasons"))
    assert tuple(found) == names.FALLBACK_REASONS


def test_times_and_limits() -> None:
    waiting = section(TEXT, "Waiting for the plan")
    for seconds, every in (names.FINE_WAIT, names.COARSE_WAIT):
        assert f"{seconds:g} s, looking every {every * 1000:g} ms" in waiting
    longest = f"{names.FINE_WAIT[0] + names.COARSE_WAIT[0]:g} s"
    stale = f"{names.HEARTBEAT_STALE_SECONDS} s"
    assert longest in waiting
    assert stale in waiting
    readme = section(read("README.md"), "When Dutyline is down")
    assert longest in readme
    assert stale in readme
    assert f"At most {names.MAX_STEPS} steps" in TEXT
    assert f"{names.DID_DIGITS[0]} to {names.DID_DIGITS[-1]} digits" in TEXT


def test_the_manager_user() -> None:
    """Both forms of the filters stand there as they are written."""
    for version in ((22, 10), (20, 6)):
        text = manager(ManagerOptions("dutyline", "SECRET", version))
        filters = [line for line in text.splitlines() if line.startswith("eventfilter")]
        for line in filters:
            assert line.rstrip() in TEXT, line
    assert f"read = {names.READ}" in TEXT
    assert f"write = {','.join(WRITE)}" in TEXT
