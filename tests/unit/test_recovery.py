"""What the PBX wrote down becomes records: its own rows, hostile ones, and what is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from telephony.asterisk.written import attempts, cdr_rows, queue_rows, zone_shift
from telephony.domain.cdr import from_cdr
from telephony.domain.live import LiveCall
from telephony.domain.people import People
from telephony.domain.queuelog import from_queue_log
from telephony.domain.record import (
    CallRecord,
    Direction,
    Disposition,
    LegKind,
    LegRecord,
    Outcome,
    Side,
)
from telephony.domain.record import Source as From
from telephony.domain.recovery import filled, lost, merged

PEOPLE = People(
    {"101": "101", "102": "102", "104": "104", "gate": "200"},
    lambda number: (number, 7, "Ромашка") if number == "+79001112233" else (number, None, ""),
)
# Written by Asterisk 22 with `loguniqueid`, `loguserfield` and `newcdrcolumns`.
CSV = '''\
"","+79001112233","s","dutyline-fallback",""""" <+79001112233>","PJSIP/trunk-00000000",\
"PJSIP/104-00000001","Queue","duty,ct,,,5","2026-11-24 03:25:59","2026-11-24 03:26:00",\
"2026-11-24 03:26:02",3,2,"ANSWERED","DOCUMENTATION","lab-1795490759.0","","",\
"lab-1795490759.0",0
"","+79001112244","s","dutyline-steps",""""" <+79001112244>","PJSIP/trunk-00000002",\
"PJSIP/101-00000003","Dial","x","2026-11-24 03:26:02",,"2026-11-24 03:26:03",1,0,"BUSY",\
"DOCUMENTATION","lab-1795490762.2","","","lab-1795490762.2",2
"","+79001112244","s","dutyline-fallback",""""" <+79001112244>","PJSIP/trunk-00000002",\
"PJSIP/104-00000003","Dial","x","2026-11-24 03:26:03",,"2026-11-24 03:26:04",1,0,"NO ANSWER",\
"DOCUMENTATION","lab-1795490762.2","","","lab-1795490762.2",3
"","101","102","internal","""Operator 101"" <101>","PJSIP/101-00000004","PJSIP/102-00000005",\
"Dial","x","2026-11-24 03:26:04","2026-11-24 03:26:04","2026-11-24 03:26:05",1,1,"ANSWERED",\
"DOCUMENTATION","lab-1795490764.4","","","lab-1795490764.4",4
"","101","79161110001","internal","""Operator 101"" <101>","PJSIP/101-00000006",\
"PJSIP/trunk-00000007","Dial","x","2026-11-24 03:26:05","2026-11-24 03:26:06",\
"2026-11-24 03:26:09",4,3,"ANSWERED","DOCUMENTATION","lab-1795490765.6","","",\
"lab-1795490765.6",6
'''
QUEUE_LOG = """\
1795490759|NONE|NONE|NONE|QUEUESTART|
1795490759|NONE|NONE|NONE|CONFIGRELOAD|
1795490759|lab-1795490759.0|duty|NONE|ENTERQUEUE||+79001112233|1
1795490760|lab-1795490759.0|duty|PJSIP/104|CONNECT|1|lab-1795490759.1|0
1795490762|lab-1795490759.0|duty|PJSIP/104|COMPLETECALLER|1|2|1
1795490762|lab-1795490762.2|duty|NONE|ENTERQUEUE||+79001112244|1
1795490764|lab-1795490762.2|duty|PJSIP/104|RINGCANCELED|2004
1795490764|lab-1795490762.2|duty|NONE|ABANDON|1|1|2
"""


def _cdr(text: str) -> dict[str, CallRecord]:
    return from_cdr(cdr_rows(text.encode()), PEOPLE)


def _queues(text: str) -> dict[str, CallRecord]:
    return from_queue_log(queue_rows(text.encode()), PEOPLE)


def test_a_call_of_the_cdr_that_was_answered() -> None:
    made = _cdr(CSV)["lab-1795490759.0"]
    assert (made.disposition, made.direction, made.source) == (
        Disposition.ANSWERED,
        Direction.IN,
        From.CDR,
    )
    assert (made.number, made.client_id, made.client_name) == ("+79001112233", 7, "Ромашка")
    assert (made.answered_by, made.answered_on) == ("104", LegKind.DESK)
    assert made.started_at == 1795490759_000000
    assert (made.wait_ms, made.talk_ms) == (1000, 2000)
    assert [leg.outcome for leg in made.legs] == [Outcome.TALKED]


def test_each_dial_attempt_is_a_row_and_a_missed_call_has_no_answered_one() -> None:
    made = _cdr(CSV)["lab-1795490762.2"]
    assert made.disposition is Disposition.NO_ANSWER
    assert (made.answered_at, made.answered_by, made.talk_ms) == (None, None, 0)
    assert [(leg.operator, leg.outcome) for leg in made.legs] == [
        ("101", Outcome.BUSY),
        ("104", Outcome.NO_ANSWER),
    ]


def test_what_operators_placed_is_internal_or_outbound() -> None:
    internal, outbound = _cdr(CSV)["lab-1795490764.4"], _cdr(CSV)["lab-1795490765.6"]
    assert (internal.direction, internal.placed_by, internal.number, internal.answered_by) == (
        Direction.INTERNAL,
        "101",
        "102",
        "102",
    )
    assert (outbound.direction, outbound.placed_by, outbound.number, outbound.answered_by) == (
        Direction.OUT,
        "101",
        "79161110001",
        None,
    )
    assert outbound.legs[0].kind is LegKind.OUTSIDE


def test_an_announcement_that_answers_is_nobody() -> None:
    row = CSV.splitlines()[0].replace('"PJSIP/104-00000001"', '""')
    assert _cdr(row + "\n") == {}, "live it makes no record either"
    told = from_cdr(cdr_rows(row.encode() + b"\n"), PEOPLE, {"lab-1795490759.0"})
    assert told["lab-1795490759.0"].disposition is Disposition.NO_ANSWER


def _row(channel: str, result: str, *, peer: str = "", did: str = "") -> dict[str, object]:
    return {
        "uniqueid": "1795642797.0",
        "channel": channel,
        "dstchannel": peer,
        "src": "79001112233",
        "dst": "*97",
        "did": did,
        "disposition": result,
        "calldate": "2026-11-25 21:39:57",
        "duration": 60,
        "billsec": 60 if result == "ANSWERED" else 0,
    }


@pytest.mark.parametrize(
    ("row", "made"),
    [
        pytest.param(_row("PJSIP/101-1", "ANSWERED"), False, id="a feature code"),
        pytest.param(_row("PJSIP/101-1", "FAILED"), False, id="a number that is none"),
        pytest.param(_row("PJSIP/trunk-1", "ANSWERED"), False, id="the PBX's own voicemail"),
        pytest.param(_row("PJSIP/trunk-1", "NO ANSWER"), True, id="nobody took it"),
        pytest.param(_row("PJSIP/trunk-1", "FAILED"), True, id="it gave up at once"),
        pytest.param(_row("PJSIP/trunk-1", "ANSWERED", did="7495"), True, id="a DID of ours"),
        pytest.param(_row("PJSIP/101-1", "BUSY", peer="PJSIP/trunk-2"), True, id="a busy number"),
    ],
)
def test_calls_that_concern_nobody_make_no_record(row: dict[str, object], made: bool) -> None:
    assert bool(from_cdr(attempts([row]), PEOPLE)) == made


@pytest.mark.parametrize(
    ("came", "zone", "ended"),
    [
        ("2026-10-25T00:58:00+00:00", "Europe/Berlin", "2026-10-25 02:05:00"),
        ("2026-03-29T00:58:00+00:00", "Europe/Berlin", "2026-03-29 03:05:00"),
    ],
)
def test_a_call_over_a_change_of_the_clocks_keeps_its_length(
    came: str, zone: str, ended: str
) -> None:
    start = datetime.fromisoformat(came)
    second = int(start.timestamp())

    def clock(after: int) -> str:
        at = datetime.fromtimestamp(second + after, ZoneInfo(zone))
        return f"{at:%Y-%m-%d %H:%M:%S}"

    assert clock(420) == ended, "by the clock it lasts 7 - 60 or 7 + 60 minutes"
    row = {
        "uniqueid": f"{second}.1", "linkedid": f"{second}.1", "channel": "PJSIP/trunk-1",
        "dstchannel": "PJSIP/104-2", "src": "79001112233", "dst": "s", "disposition": "ANSWERED",
        "start": clock(0), "answer": clock(60), "end": ended, "duration": "420", "billsec": "360",
    }  # fmt: skip
    (made,) = from_cdr(attempts([row]), PEOPLE).values()
    assert (made.started_at, made.wait_ms, made.talk_ms) == (second * 10**6, 60_000, 360_000)


def test_legs_that_talked_when_the_sight_was_lost_talk_on() -> None:
    first, rest = 1795490760, 1_000_000
    seen = LegRecord(
        "lab-1795490759.1", "PJSIP/101-00000001", LegKind.DESK, "101", "101", Outcome.TALKED,
        first * rest, 0, 764, 0, 0, talks=((first * rest, first * rest + 764_000),),
    )  # fmt: skip
    earlier = replace(
        seen, channel="PJSIP/103-00000009", talks=((first * rest - 765_000, first * rest - 1000),)
    )
    known = replace(
        lost(LIVE, first * rest + 764_000),
        answered_at=first * rest,
        legs=(seen, earlier),
    )
    later = replace(seen, channel="PJSIP/102-00000002", operator="102", uniqueid="x/1")
    found = replace(known, ended_at=(first + 6) * rest, legs=(later,), source=From.CDR)
    made = filled(known, found)
    assert (made.talk_ms, [leg.talk_ms for leg in made.legs]) == (6000, [6000, 764, 764])
    assert made.legs[0].ended_at == made.ended_at
    assert (made.legs[1], made.legs[2]) == (earlier, later)
    written = replace(seen, ended_at=(first + 4) * rest)
    moved = filled(known, replace(found, legs=(written,)))
    assert [leg.talk_ms for leg in moved.legs] == [4000, 764], "the CDR knows when it was sent on"


@pytest.mark.parametrize("hours", [-8, 0, 3, 5.5])
def test_the_zone_of_the_cdr_does_not_matter(hours: float) -> None:
    shift = int(hours * 3600)
    rows = [
        {
            "calldate": datetime.fromtimestamp(1795490759 + shift, UTC).replace(tzinfo=None),
            "duration": 400,
            "billsec": 390,
            "disposition": "ANSWERED",
            "uniqueid": "1795490759.0",
            "channel": "PJSIP/trunk-00000000",
            "dstchannel": "PJSIP/101-00000001",
            "src": "79001112233",
            "dst": "s",
            "did": "74951234567",
        }
    ]
    (made,) = from_cdr(attempts(rows), PEOPLE).values()
    assert made.call_id == "1795490759.0", "without a Linkedid the Uniqueid is the call"
    assert (made.started_at, made.wait_ms, made.talk_ms) == (1795490759_000000, 10_000, 390_000)
    assert made.did == "74951234567"
    assert zone_shift("1795490759.0", rows[0]["calldate"]) == shift  # type: ignore[arg-type]


@pytest.mark.parametrize("columns", [16, 15, 3, 30])
def test_rows_of_the_csv_that_name_no_call_are_left_out(columns: int) -> None:
    row = ["x"] * columns
    assert cdr_rows((",".join(row) + "\n").encode()) == []


def test_a_number_with_line_ends_forges_no_row_of_the_csv() -> None:
    (genuine,) = cdr_rows(CSV.splitlines()[0].encode() + b"\n")
    forged = CSV.splitlines()[1].replace('"', '""')
    hostile = CSV.splitlines()[0].replace('"+79001112233"', f'"1\r\n{forged}\r\n"')
    assert cdr_rows(hostile.encode() + b"\n") == [replace(genuine, source=_source(hostile))]


def _source(text: str) -> str:
    return cdr_rows(text.encode() + b"\n")[0].source


def test_a_queue_log() -> None:
    found = _queues(QUEUE_LOG)
    answered, abandoned = found["lab-1795490759.0"], found["lab-1795490762.2"]
    assert (answered.disposition, answered.answered_by, answered.talk_ms) == (
        Disposition.ANSWERED,
        "104",
        2000,
    )
    assert (answered.hung_up_by, answered.client_id) == (Side.CALLER, 7)
    assert (abandoned.disposition, abandoned.abandoned_in, abandoned.wait_ms) == (
        Disposition.ABANDONED,
        "waiting",
        2000,
    )


def test_a_call_in_a_queue_when_the_pbx_died_is_lost_and_never_missed() -> None:
    text = QUEUE_LOG.splitlines(True)
    died = "".join([*text[5:6], "1795490770|NONE|NONE|NONE|QUEUESTART|\n"])
    assert _queues(died)["lab-1795490762.2"].disposition is Disposition.LOST
    assert "lab-1795490762.2" not in _queues("".join(text[5:7])), "it may still wait"


def test_a_call_that_left_the_queue_by_itself_is_not_guessed_at() -> None:
    left = "1795490764|lab-1795490762.2|duty|NONE|EXITWITHTIMEOUT|1|1|2\n"
    assert _queues(left)["lab-1795490762.2"].disposition is Disposition.LOST


def test_a_key_in_a_queue_of_ours_asks_to_be_called_back() -> None:
    row = "1795490764|lab-1795490762.2|{}|NONE|EXITWITHKEY|1|1|1|2\n"
    ours, other = (_queues(row.format(name)) for name in ("dutyline-sales", "duty"))
    assert ours["lab-1795490762.2"].disposition is Disposition.CALLBACK_ASKED
    assert other["lab-1795490762.2"].disposition is Disposition.LOST


@pytest.mark.parametrize(
    "number",
    [
        "1\n1795490763|lab-1795490759.0|q|PJSIP/101|CONNECT|1|lab-1.1",
        "1\n1795490763|lab-1795490759.0|q|PJSIP/101|CONNECT|1|lab-1.1|0\n",
    ],
)
def test_a_number_with_line_ends_forges_no_row_of_the_queue_log(number: str) -> None:
    text = f"1795490762|lab-1795490762.2|duty|NONE|ENTERQUEUE||{number}|1\n"
    later = "1795490790|lab-1795490790.9|duty|NONE|ENTERQUEUE||79001112233|1\n" * 4
    rows = queue_rows((text + later).encode())
    assert not [row for row in rows if row.event == "CONNECT"]
    assert {row.call for row in rows} <= {"lab-1795490762.2", "lab-1795490790.9"}
    assert rows, "what is out of a number's reach counts again"


def test_the_queue_tells_of_a_cdr_who_gave_up_and_who_hung_up() -> None:
    found = merged(_cdr(CSV), _queues(QUEUE_LOG))
    assert len(found) == 4
    assert found["lab-1795490762.2"].disposition is Disposition.ABANDONED
    assert found["lab-1795490762.2"].source is From.CDR
    assert found["lab-1795490759.0"].hung_up_by is Side.CALLER


LIVE = LiveCall(
    call_id="lab-1795490759.0",
    revision=1,
    direction=Direction.IN,
    did="74951234567",
    number="+79001112233",
    client_id=7,
    client_name="Ромашка",
    placed_by=None,
    phase="ringing",
    since=1795490759_300000,
    started_at=1795490759_200000,
    ringing=("101",),
)


def test_nothing_found_is_lost_and_an_answered_call_stays_answered() -> None:
    gone = lost(LIVE, 1795490800_000000)
    assert (gone.disposition, gone.hung_up_by) == (Disposition.LOST, Side.SYSTEM)
    assert (gone.did, gone.number, gone.client_name) == (LIVE.did, LIVE.number, "Ромашка")
    talked = lost(
        replace(LIVE, answered_at=1795490760_000000, answered_by="101"), 1795490800_000000
    )
    assert (talked.disposition, talked.answered_by) == (Disposition.ANSWERED, "101")
    assert talked.talk_ms == 40_000


def test_what_was_known_of_a_call_is_kept_when_its_end_is_found() -> None:
    made = filled(lost(LIVE, 1795490800_000000), _cdr(CSV)["lab-1795490759.0"])
    assert (made.disposition, made.answered_by, made.source) == (
        Disposition.ANSWERED,
        "104",
        From.CDR,
    )
    assert (made.did, made.started_at) == (LIVE.did, LIVE.started_at)
    assert made.ended_at == 1795490762_000000
