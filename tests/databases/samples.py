"""Call records, clients and set-ups for tests, and waiting for what other threads do."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import time as clock

from telephony.domain.did import Did
from telephony.domain.duty import Roster, Shift
from telephony.domain.queueing import QueueSettings, Strategy
from telephony.domain.record import CallRecord, Disposition, LegRecord, Outcome, Side
from telephony.domain.routing import Checked, Decision, Kind, Plan, Reason, Rule, Step, Target
from telephony.domain.setup import Group, Operator, Setup

START = 1_795_000_000_123_457


def wait_for(what: str, condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Poll until the condition holds; fail with `what` after a deadline."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"waited {seconds} s in vain: {what}"
        time.sleep(0.01)


def a_decision() -> Decision:
    """A decision of two steps."""
    ring = Step(Kind.DESK, Rule.MANAGER_DESK, (Target("101", "101"),), 20)
    checked = Checked(Rule.CLIENT, True, Reason.CLIENT_KNOWN, (("client", "Ромашка"),))
    return Decision(Plan((ring, Step(Kind.END, Rule.LAST)), "Ромашка"), (checked,))


def a_leg(uniqueid: str) -> LegRecord:
    """An answered leg to 101."""
    return LegRecord(
        uniqueid=uniqueid,
        channel="PJSIP/101-00000001",
        kind="desk",
        operator="101",
        address="101",
        outcome=Outcome.TALKED,
        rang_at=START + 200_000,
        ring_ms=4000,
        talk_ms=61_000,
        cause=16,
        tech_cause=0,
    )


def a_record(nth: int = 0, **changes: object) -> CallRecord:
    """An answered call; `nth` makes it another one, a second later."""
    call_id = f"1795000000.{nth}"
    start = START + nth * 1_000_000
    record = CallRecord(
        call_id=call_id,
        did="74951234567",
        number="+79001112233",
        client_id=7,
        client_name="Ромашка",
        started_at=start,
        answered_at=start + 4_200_000,
        ended_at=start + 65_200_000,
        wait_ms=4200,
        ring_ms=4000,
        talk_ms=61_000,
        disposition=Disposition.ANSWERED,
        abandoned_in=None,
        answered_by="101",
        answered_on="desk",
        hung_up_by=Side.CALLER,
        fallback=None,
        decision=a_decision(),
        decided_ms=1.25,
        legs=(a_leg(f"{call_id}-a"),),
    )
    return replace(record, **changes)  # type: ignore[arg-type]


def a_setup() -> Setup:
    """Two operators in one group with one DID."""
    days = frozenset({1, 2, 3, 4, 5})
    lunch = (clock(13), clock(14))
    queue = QueueSettings("sales", Strategy.RRMEMORY, wrapup_seconds=20, announce_position=False)
    shifts = (
        Shift("101", days, clock(9), clock(18), lunch),
        Shift("102", frozenset({6, 7}), clock(20), clock(8)),
    )
    return Setup(
        operators={
            "101": Operator("101", "Анна", "101", "+79001110101", "102"),
            "102": Operator("102", "Boris", "boris"),
        },
        groups={"sales": Group("sales", Roster("Europe/Moscow", shifts), queue)},
        dids={"74951234567": Did("74951234567", "sales", "Sales")},
        default_group="sales",
    )
