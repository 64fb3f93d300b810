"""Under which name a process tells how it is, when others of its part run too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from telephony.status import Identity, choose_name
from telephony.store.live import Process, part_of

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ME = Identity("worker-bulk", 7, "here", NOW)


def told(name: str, host: str, pid: int, *, ago: float = 1, problem: str | None = None) -> Process:
    at = NOW - timedelta(seconds=ago)
    return Process(name, pid, host, "1", at, at, problem is None, problem)


@pytest.mark.parametrize(
    ("rows", "name", "old"),
    [
        pytest.param([], "worker-bulk", [], id="the first"),
        pytest.param([told("worker-bulk", "here", 7)], "worker-bulk", [], id="told before"),
        pytest.param([told("worker-bulk", "here", 8)], "worker-bulk-2", [], id="another runs"),
        pytest.param([told("worker-bulk", "there", 9)], "worker-bulk-2", [], id="elsewhere"),
        pytest.param([told("worker-bulk", "here", 9)], "worker-bulk", [], id="it has died"),
        pytest.param([told("worker-bulk", "there", 9, ago=20)], "worker-bulk", [], id="silent"),
        pytest.param(
            [told("worker-bulk", "there", 9, problem="stopped")], "worker-bulk", [], id="stopped"
        ),
        pytest.param(
            [told("worker-bulk", "there", 9, ago=20), told("worker-bulk-2", "here", 7)],
            "worker-bulk",
            ["worker-bulk-2"],
            id="it takes the place of one that is gone",
        ),
        pytest.param(
            [
                told("worker-bulk", "here", 8),
                told("worker-bulk-2", "there", 1),
                told("worker-bulk-3", "there", 2, ago=4000),
                told("worker-bulk-4", "there", 3, ago=4000),
                told("worker-bulk-5", "there", 3, ago=60),
            ],
            "worker-bulk-3",
            ["worker-bulk-4"],
            id="those long gone are forgotten",
        ),
        pytest.param([told("worker-now", "here", 8)], "worker-bulk", [], id="another part"),
    ],
)
def test_the_name_to_tell_under(rows: list[Process], name: str, old: list[str]) -> None:
    assert choose_name(ME, rows, NOW, {7, 8}.__contains__) == (name, old)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("worker-bulk", "worker-bulk"),
        ("worker-bulk-2", "worker-bulk"),
        ("relay-12", "relay"),
        ("web", "web"),
        ("-2", "-2"),
    ],
)
def test_the_part_of_a_name(name: str, part: str) -> None:
    assert part_of(name) == part
