"""What a traceback or a database's error puts into the log: never the values at hand."""

from __future__ import annotations

import subprocess
import sys

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from telephony.store.engine import open_engine, reading

_FAILS = """
import structlog
from telephony.logs import set_up_logs
set_up_logs("info", {form!r})
def work(password):
    kept = "hunter" + password
    raise ValueError("no")
try:
    work("-2" + "-xyzzy")
except ValueError:
    structlog.get_logger().exception("panel.failed")
"""


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_prints_no_local_variables(form: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FAILS.format(form=form)], capture_output=True, text=True, check=True
    )
    assert "panel.failed" in done.stderr
    assert "ValueError" in done.stderr
    assert "-2-xyzzy" not in done.stderr


def test_a_databases_error_prints_no_values(tmp_path: object) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/some.db")
    with pytest.raises(SQLAlchemyError) as caught, reading(engine) as session:
        session.execute(text("SELECT :value FROM nowhere"), {"value": "a secret"})
    engine.dispose()
    assert "nowhere" in str(caught.value)
    assert "a secret" not in str(caught.value)
