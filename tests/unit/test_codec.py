"""Call records survive JSON without loss."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.domain.record import CallRecord, Disposition, LegRecord, Outcome, Side
from telephony.domain.routing import Checked, Decision, Kind, Plan, Reason, Rule, Step, Target
from telephony.store.codec import CodecError, record_from_json, record_to_json
from tests.databases.samples import a_record

TEXT = st.text(max_size=12)
MAYBE = st.none() | TEXT
NUMBER = st.integers(-(2**62), 2**62)
STEPS = st.builds(
    Step,
    kind=st.sampled_from(Kind),
    rule=st.sampled_from(Rule),
    targets=st.lists(st.builds(Target, TEXT, TEXT), max_size=3).map(tuple),
    seconds=NUMBER,
)
CHECKED = st.builds(
    Checked,
    rule=st.sampled_from(Rule),
    used=st.booleans(),
    reason=st.sampled_from(Reason),
    values=st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple),
)
DECISIONS = st.builds(
    Decision,
    plan=st.builds(Plan, st.lists(STEPS, max_size=3).map(tuple), TEXT),
    trace=st.lists(CHECKED, max_size=3).map(tuple),
)
LEGS = st.builds(
    LegRecord,
    uniqueid=TEXT,
    channel=TEXT,
    kind=TEXT,
    operator=MAYBE,
    address=TEXT,
    outcome=st.sampled_from(Outcome),
    rang_at=st.none() | NUMBER,
    ring_ms=NUMBER,
    talk_ms=NUMBER,
    cause=NUMBER,
    tech_cause=NUMBER,
)
RECORDS = st.builds(
    CallRecord,
    call_id=TEXT,
    did=TEXT,
    number=TEXT,
    client_id=st.none() | NUMBER,
    client_name=TEXT,
    started_at=NUMBER,
    answered_at=st.none() | NUMBER,
    ended_at=NUMBER,
    wait_ms=NUMBER,
    ring_ms=NUMBER,
    talk_ms=NUMBER,
    disposition=st.sampled_from(Disposition),
    abandoned_in=MAYBE,
    answered_by=MAYBE,
    answered_on=MAYBE,
    hung_up_by=st.sampled_from(Side),
    fallback=MAYBE,
    decision=st.none() | DECISIONS,
    decided_ms=st.none() | st.floats(allow_nan=False),
    legs=st.lists(LEGS, max_size=3).map(tuple),
)


@given(RECORDS)
def test_a_record_comes_back_as_it_was(record: CallRecord) -> None:
    line = json.dumps(record_to_json(record))
    assert "\n" not in line
    assert line.isascii()
    back = record_from_json(json.loads(line))
    assert back == record
    assert repr(back) == repr(record)


def test_codes_are_kept_not_words() -> None:
    value = record_to_json(a_record())
    assert value["plan"]["steps"][0] == {
        "kind": "desk",
        "rule": "manager_desk",
        "seconds": 20,
        "targets": [["101", "101"]],
    }
    assert value["trace"][0]["reason"] == "client_known"


@pytest.mark.parametrize(
    "change",
    [
        {"disposition": "gone"},
        {"legs": [{"uniqueid": "x"}]},
        {"legs": 5},
        {"plan": {"name": "x", "steps": [{"kind": "desk"}]}},
        {"extra": 1},
        {"plan": "text"},
    ],
)
def test_what_is_no_record_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(CodecError):
        record_from_json(record_to_json(a_record()) | change)


def test_a_missing_field_is_refused() -> None:
    value = record_to_json(a_record())
    del value["number"]
    with pytest.raises(CodecError):
        record_from_json(value)
