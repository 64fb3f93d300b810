"""A small company with calls, clients and operators, some of them hostile, for the API and panel.

Nothing here depends on the clock: `NOW` is the application's.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import Engine

from telephony.accounts import ApiToken, Role, Scope, new_token
from telephony.accounts.passwords import Passwords, digest
from telephony.domain.live import LiveCall, OperatorActivity, OperatorState
from telephony.domain.record import (
    CallRecord,
    Direction,
    Disposition,
    LegRecord,
    Moment,
    MomentKind,
    Outcome,
    Side,
    Source,
)
from telephony.domain.routing import Checked, Decision, Kind, Plan, Reason, Rule, Step, Target
from telephony.settings import read_settings
from telephony.store.accounts import SessionRow, add_user
from telephony.store.calls import Revised, save_calls
from telephony.store.client_changes import save_clients
from telephony.store.clients import ClientData
from telephony.store.engine import writing
from telephony.store.live import replace_live_calls, replace_operator_states
from telephony.store.outbox import Fact, add_facts
from telephony.store.sessions import add_session, add_token
from telephony.store.setup import replace_setup
from telephony.store.tables import microseconds
from tests.api.templates import share_templates
from tests.databases.samples import a_setup
from web import create_app

# As strong as it must be for tests, and quick.
QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
NOW = datetime(2026, 11, 18, 10, 30, tzinfo=UTC)  # a Wednesday; 13:30 in Moscow
DID = "74951234567"
HOSTILE = '<script>alert("x")</script>\u202egnp.exe'
CALLER = "+79001112233"


def _us(seconds: float) -> int:
    return microseconds(NOW) + round(seconds * 1_000_000)


def _decision() -> Decision:
    ring = Step(Kind.DESK, Rule.MANAGER_DESK, (Target("101", "101"),), 20)
    mobile = Step(Kind.MOBILE, Rule.MANAGER_MOBILE, (Target("101", "+79001110101"),), 25)
    duty = Step(Kind.DESK, Rule.DUTY, (Target("102", "boris"), Target("101", "101")), 30)
    trace = (
        Checked(Rule.DID, True, Reason.DID_KNOWN, (("did", DID), ("group", "sales"))),
        Checked(Rule.CLIENT, True, Reason.CLIENT_KNOWN, (("client", "Ромашка"),)),
        Checked(Rule.MANAGER_DESK, True, Reason.FREE, (("operator", "Анна"), ("extension", "101"))),
        Checked(
            Rule.DEPUTY_DESK, False, Reason.BUSY, (("operator", "Boris"), ("extension", "102"))
        ),
        Checked(Rule.LAST, True, Reason.PLAN_EXHAUSTED, ()),
    )
    return Decision(Plan((ring, mobile, duty, Step(Kind.END, Rule.LAST)), "Ромашка"), trace)


def _leg(uniqueid: str, operator: str | None, begin: float, **changes: object) -> LegRecord:
    leg = LegRecord(
        uniqueid=uniqueid,
        channel=f"PJSIP/{operator}-0000000a",
        kind="desk",
        operator=operator,
        address=str(operator),
        outcome=Outcome.NO_ANSWER,
        rang_at=_us(begin),
        ring_ms=9000,
        talk_ms=0,
        cause=16,
        tech_cause=0,
        ended_at=_us(begin + 9),
    )
    return replace(leg, **changes)  # type: ignore[arg-type]


def _call(nth: int, seconds: float, **changes: object) -> CallRecord:
    """Return an answered inbound call that began `seconds` from now."""
    start = _us(seconds)
    legs = (
        _leg(f"{nth}-a", "101", seconds + 1),
        _leg(
            f"{nth}-b",
            "102",
            seconds + 11,
            channel="PJSIP/boris-0000000b",
            address="boris",
            outcome=Outcome.TALKED,
            ring_ms=4000,
            talk_ms=61_000,
            hold_ms=12_000,
            ended_at=start + 76_000_000,
            talks=((start + 15_000_000, start + 76_000_000),),
            holds=((start + 30_000_000, start + 42_000_000),),
        ),
    )
    record = CallRecord(
        call_id=f"pbx-1795000000.{nth}",
        did=DID,
        number=CALLER,
        client_id=1,
        client_name="Ромашка",
        started_at=start,
        answered_at=start + 15_000_000,
        ended_at=start + 76_000_000,
        wait_ms=15_000,
        ring_ms=14_000,
        talk_ms=61_000,
        disposition=Disposition.ANSWERED,
        abandoned_in=None,
        answered_by="102",
        answered_on="desk",
        hung_up_by=Side.CALLER,
        fallback=None,
        decision=_decision(),
        decided_ms=1.25,
        legs=legs,
        hold_ms=12_000,
        moments=(
            Moment(start + 30_000_000, MomentKind.HELD, (("by", "102"),)),
            Moment(start + 42_000_000, MomentKind.RESUMED, (("by", "102"),)),
            Moment(start + 50_000_000, MomentKind.BLIND_TRANSFER, (("by", "102"), ("to", "101"))),
        ),
    )
    return replace(record, **changes)  # type: ignore[arg-type]


def calls() -> list[CallRecord]:
    """Return all kinds of calls, oldest first."""
    missed: dict[str, object] = {
        "answered_at": None,
        "answered_by": None,
        "answered_on": None,
        "talk_ms": 0,
        "hold_ms": 0,
        "moments": (),
    }
    found = [
        _call(1, -3600),
        _call(
            2,
            -3000,
            **missed,
            number="+74957654321",
            client_id=2,
            client_name=HOSTILE,
            disposition=Disposition.ABANDONED,
            abandoned_in="ringing",
            legs=(_leg("2-a", "101", -2999),),
        ),
        _call(
            3,
            -2400,
            **missed,
            number="",
            client_id=None,
            client_name="",
            disposition=Disposition.LOST,
            decision=None,
            decided_ms=None,
            legs=(),
            hung_up_by=Side.SYSTEM,
            source=Source.QUEUE_LOG,
        ),
        _call(4, -1800, direction=Direction.OUT, placed_by="102", decision=None, did=""),
        _call(
            5,
            -1200,
            direction=Direction.INTERNAL,
            number="102",
            placed_by="101",
            did="",
            client_id=None,
            client_name="",
            decision=None,
            moments=(),
            legs=(_leg("5-a", "102", -1199, outcome=Outcome.TALKED),),
        ),
    ]
    # Enough for several pages, all of 101's.
    found += [
        _call(
            100 + nth,
            -86_400 * (1 + nth % 20) - nth,
            **missed,
            number=f"+7900555{nth:04d}",
            client_id=None,
            client_name="",
            disposition=Disposition.NO_ANSWER,
            legs=(_leg(f"{100 + nth}-a", "101", -86_400 * (1 + nth % 20) - nth),),
        )
        for nth in range(120)
    ]
    return found


def fill(engine: Engine) -> None:
    """Store the company."""
    with writing(engine) as session:
        replace_setup(session, a_setup())
        clients = [
            ClientData("Ромашка", (CALLER,), "101", "102", True, "Звонить после 10:00"),
            ClientData(HOSTILE, ("+74957654321",), "102"),
            *(ClientData(f"ООО Вектор {nth}", (f"+7812000{nth:04d}",)) for nth in range(70)),
        ]
        save_clients(session, clients)
        save_calls(session, [Revised(record, 1) for record in calls()])
        replace_live_calls(
            session,
            [
                LiveCall(
                    call_id="pbx-1795000000.900",
                    revision=1,
                    direction=Direction.IN,
                    did=DID,
                    number=CALLER,
                    client_id=1,
                    client_name=HOSTILE,
                    placed_by=None,
                    phase="talking",
                    since=_us(-20),
                    started_at=_us(-30),
                    answered_at=_us(-20),
                    talking=("101",),
                    queue="support",
                    queued_at=_us(-28),
                )
            ],
        )
        replace_operator_states(
            session,
            [
                OperatorState(
                    "101", "INUSE", OperatorActivity.BUSY, _us(-20), "pbx-1795000000.900"
                ),
                OperatorState("102", "NOT_INUSE", OperatorActivity.FREE, _us(-600)),
            ],
        )
        add_facts(session, [Fact("call.started", "call.started:x", {"call_id": "x"})], NOW)


def application(engine: Engine, folder: Path) -> Flask:
    """Return the panel over a filled database, its clock at NOW."""
    settings = read_settings(
        {
            "DUTYLINE_DATABASE_URL": engine.url.render_as_string(hide_password=False),
            "DUTYLINE_DATA_DIR": str(folder),
        },
        without=frozenset({"ami_secret", "token"}),
    )
    app = create_app(settings, engine, now=lambda: NOW, passwords=QUICK)
    share_templates(app)
    app.testing = True
    return app


def a_user(engine: Engine, role: Role, extension: str | None = None, language: str = "en") -> int:
    """Add a user who cannot sign in by a password; return the id."""
    with writing(engine) as session:
        return add_user(
            session,
            f"{role}-{extension}-{language}",
            NOW,
            name=f"The {role}",
            password_hash="!",
            role=role,
            extension=extension,
            language=language,
            zone="Europe/Moscow",
        )


def a_token(engine: Engine, *scopes: Scope) -> str:
    """Make a token with these scopes, of an admin of its own."""
    shown, kept = new_token()
    with writing(engine) as session:
        user = add_user(
            session, kept, NOW, name="A", password_hash="!", role=Role.ADMIN, extension=None
        )
        token = ApiToken(0, "test", frozenset(scopes), user, NOW, None, None, None)
        add_token(session, kept, token)
    return shown


def sign_in(app: Flask, engine: Engine, user_id: int) -> str:
    """Begin a session for a user; return the token of the cookie's session."""
    shown = f"session-{user_id}"
    row = SessionRow(
        id=digest(shown),
        user_id=user_id,
        full=True,
        created_at=NOW - timedelta(minutes=1),
        seen_at=NOW,
        address="127.0.0.1",
        browser="test",
        zone="Europe/Moscow",
    )
    with writing(engine) as session:
        add_session(session, row)
    return shown
