"""A database with any number of calls, made by SQL alone: three years of a busy company.

120 operators, 20 DIDs, 300,000 numbers of which 3,000 call often. The calls are there before the
migration that finds them, so that loading is fast and the migration proves itself on them.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from alembic import command
from sqlalchemy import Connection, text

from telephony.domain.record import Disposition
from telephony.store.codec import plan_to_json, trace_to_json
from telephony.store.engine import connected_for_writing, open_engine
from telephony.store.migrations import _config, migrate
from tests.databases.samples import a_decision

BEGIN = datetime(2023, 11, 20, 5, tzinfo=UTC)
DAYS = 1095
OPERATORS = 120
DIDS = 20
DID = "74950000003"
OPERATOR = "117"
NUMBER = "+79000001234"
HEAD = "+7900001"  # of 10,000 numbers
NAME, OFTEN = "Ivanov", "Petrov"  # each is the name of 200 clients; the Petrovs call often
CLIENTS = 150_000
SELDOM = Disposition.LOST

_STEP = 500_000
_MIX = "({i} * 2654435761 % 4294967296 / 4096)"


def make(url: str, calls: int) -> None:
    """Fill the empty database at `url`."""
    engine = open_engine(url, foreign_keys=False)
    with connected_for_writing(engine) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
    for first in range(0, calls, _STEP):
        with connected_for_writing(engine) as connection:
            _insert(connection, first, min(calls, first + _STEP), calls)
    engine.dispose()
    migrate(url)
    _tidy(url)


def add_clients(url: str) -> None:
    """Add the clients that half of the numbers belong to, with names to find them by."""
    engine = open_engine(url)
    surname = "CASE WHEN i % 750 = 2 THEN 'Ivanov' WHEN i < 3000 AND i % 15 = 1 THEN 'Petrov' "
    surname += "ELSE 'Client' END"
    with connected_for_writing(engine) as connection:
        if connection.dialect.name == "sqlite":
            numbers = "(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n "
            numbers += f"WHERE i + 1 < {CLIENTS}) SELECT i FROM n)"
        else:
            numbers = f"(SELECT i FROM generate_series(0, {CLIENTS - 1}) AS g(i))"
        for insertion in (
            "INSERT INTO client (id, name, vip, notes) "
            f"SELECT i + 1, {surname} || ' ' || i, FALSE, ''",
            f"INSERT INTO client_word (word, client_id) SELECT lower({surname}), i + 1",
            "INSERT INTO client_word (word, client_id) SELECT CAST(i AS TEXT), i + 1",
        ):
            connection.execute(text(f"{insertion} FROM {numbers} AS numbers"))
    engine.dispose()
    _tidy(url)


def _tidy(url: str) -> None:
    """Do at once what PostgreSQL does by itself after a while."""
    engine = open_engine(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()


def _insert(connection: Connection, first: int, last: int, calls: int) -> None:
    sqlite = connection.dialect.name == "sqlite"
    # Each day has its calls in twelve hours.
    second = f"(i * {DAYS * 43_200} / {calls})"
    epoch = f"({int(BEGIN.timestamp())} + {second} / 43200 * 86400 + {second} % 43200)"
    if sqlite:
        numbers = f"(WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n "
        numbers += f"WHERE i + 1 < {last}) SELECT i FROM n)"

        def at(seconds: str) -> str:
            return f"strftime('%Y-%m-%d %H:%M:%S.000000', {seconds}, 'unixepoch')"
    else:
        numbers = f"(SELECT i::bigint FROM generate_series({first}, {last - 1}) AS g(i))"

        def at(seconds: str) -> str:
            return f"to_timestamp({seconds})"

    a, b, c = (_MIX.format(i=f"(i + {shift})") for shift in (0, 77_777_777, 1_234_567_891))
    decision = a_decision()
    rows = f"""
        SELECT i, 'c' || i AS call_id, {at(epoch)} AS began, {at(f"{epoch} + 12")} AS answer,
            {at(f"{epoch} + 150")} AS ended, {a} AS a, {b} AS b, {c} AS c,
            CASE WHEN {a} % 100 < 70 THEN 'in' WHEN {a} % 100 < 94 THEN 'out' ELSE 'internal' END
                AS direction,
            CASE WHEN {b} % 1000 < 780 THEN 'answered' WHEN {b} % 1000 < 870 THEN 'abandoned'
                WHEN {b} % 1000 < 950 THEN 'no_answer' WHEN {b} % 1000 < 980 THEN 'busy'
                WHEN {b} % 1000 < 995 THEN 'failed' ELSE 'lost' END AS disposition,
            CASE WHEN {a} % 10 < 5 THEN {b} % 3000 ELSE 3000 + ({a} * 31 + {b}) % 297000 END AS who
        FROM {numbers} AS numbers
    """
    did = f"CAST(74950000000 + c % {DIDS} AS TEXT)"
    operator = f"CAST(100 + c / 7 % {OPERATORS} AS TEXT)"
    json_type = "TEXT" if sqlite else "JSON"
    values = {
        "plan": json.dumps(plan_to_json(decision)),
        "trace": json.dumps((trace_to_json(decision) or []) * 5),
    }
    connection.execute(
        text(f"""
        INSERT INTO call (call_id, revision, did, number, client_id, client_name, started_at,
            answered_at, ended_at, wait_ms, ring_ms, talk_ms, disposition, answered_by,
            answered_on, hung_up_by, direction, placed_by, plan, trace)
        SELECT call_id, 1, {did},
            '+7900' || substr(CAST(10000000 + who AS TEXT), 2),
            CASE WHEN who < 150000 THEN who + 1 END, 'Client ' || who, began,
            CASE WHEN disposition = 'answered' THEN answer END, ended, 12000, 9000,
            CASE WHEN disposition = 'answered' THEN 138000 ELSE 0 END, disposition,
            CASE WHEN disposition = 'answered' THEN {operator} END,
            'desk', 'caller', direction,
            CASE WHEN direction <> 'in' THEN {operator} END,
            CAST(:plan AS {json_type}), CAST(:trace AS {json_type})
        FROM ({rows}) AS made
        """),
        values,
    )
    for nth, share in enumerate((1000, 400, 150)):
        someone = f"CAST(100 + (c / 7 + {nth} * (1 + a % 50)) % {OPERATORS} AS TEXT)"
        outcome = "CASE WHEN disposition = 'answered' THEN 'talked' ELSE 'no_answer' END"
        connection.execute(
            text(f"""
            INSERT INTO call_leg (call_id, uniqueid, position, channel, kind, operator, address,
                outcome, rang_at, ring_ms, talk_ms, cause, tech_cause)
            SELECT call_id, call_id || '-{nth}', {nth}, 'PJSIP/' || {someone} || '-1', 'desk',
                {someone}, {someone}, {outcome if nth == 0 else "'no_answer'"}, began, 9000,
                0, 16, 0
            FROM ({rows}) AS made WHERE a % 1000 < {share}
            """)
        )
