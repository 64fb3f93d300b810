"""Keeping the queues' members, without a PBX: what is looked at, what a refusal leads to."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from datetime import time as clock
from typing import cast

from structlog.testing import capture_logs

from telephony.ami.actions import Fields
from telephony.ami.client import AmiClient, AmiError
from telephony.ami.queues import Queues
from telephony.domain.duty import Roster, Shift
from telephony.domain.events import DeviceChanged, MemberChanged
from telephony.domain.queueing import QueueSettings
from telephony.domain.setup import Group, Operator, Setup
from telephony.members import QueueMembers

NOW = round(datetime(2026, 11, 26, 12, tzinfo=UTC).timestamp() * 1e6)
SALES, HELP = "dutyline-sales", "dutyline-help"


class Pbx:
    """Stands in for the connection: keeps what was sent, and answers."""

    def __init__(self) -> None:
        self.connected = True
        self.queues = frozenset({SALES, HELP})
        self.sent: list[dict[str, str]] = []
        self.answer = {"response": "Success"}

    async def ask(self, fields: Fields) -> list[dict[str, str]]:
        if dict(fields)["Action"] == "DeviceStateList":
            return [{"response": "Success"}]
        self.sent.append(dict(fields))
        return [self.answer]

    async def list_queues(self) -> Queues:
        return Queues(self.queues, {})

    def send(self, batch: tuple[Fields, ...]) -> None:
        raise AmiError(f"not connected: {len(batch)} not sent")

    def did(self) -> list[str]:
        """Return what was sent since the last time, as `QueuePause dutyline-sales PJSIP/101`."""
        found = [f"{one['Action']} {one['Queue']} {one['Interface']}" for one in self.sent]
        self.sent.clear()
        return found


def shift(operator: str) -> Shift:
    return Shift(operator, frozenset(range(1, 8)), clock(0), clock(0))


SETUP = Setup(
    {name: Operator(name, name, name) for name in ("101", "102")},
    {
        "sales": Group("sales", Roster("UTC", (shift("101"),)), QueueSettings("sales")),
        "help": Group("help", Roster("UTC", (shift("102"),)), QueueSettings("help")),
    },
)


class Place:
    """The members with what stands around them."""

    def __init__(self) -> None:
        self.pbx = Pbx()
        self.devices: dict[str, str] = {}
        self.changed: list[str] = []
        self.now = NOW
        self.members = QueueMembers(
            cast(AmiClient, self.pbx),
            SETUP,
            lambda: self.devices,
            lambda: self.now,
            self.changed.append,
        )

    async def look(self) -> list[str]:
        await self.members._look()
        return self.pbx.did()


async def test_members_are_set_once() -> None:
    place = Place()
    expected = [f"QueueAdd {SALES} PJSIP/101", f"QueueAdd {HELP} PJSIP/102"]
    assert sorted(await place.look()) == sorted(expected)
    assert await place.look() == []


async def test_a_rest_begins_and_ends_in_the_queues_of_whom_it_concerns() -> None:
    place = Place()
    await place.look()
    place.members.talked("101", NOW)
    assert await place.look() == [f"QueuePause {SALES} PJSIP/101"]
    assert place.members.wrapping() == {"101"}
    assert (place.members.pause_of("101"), place.changed) == ("wrap_up", ["101"])
    place.now += 10_000_000
    assert await place.look() == [f"QueuePause {SALES} PJSIP/101"]
    assert (place.members.wrapping(), place.changed) == (frozenset(), ["101", "101"])


async def test_whoever_takes_the_pause_away_ends_the_rest() -> None:
    place = Place()
    await place.look()
    place.members.talked("101", NOW)
    await place.look()
    place.members.member_changed(MemberChanged(NOW, SALES, "PJSIP/101", False, "PJSIP/101"))
    assert await place.look() == []
    assert place.members.wrapping() == frozenset()


async def test_what_somebody_removed_is_put_back_and_another_queue_is_nobodys_business() -> None:
    place = Place()
    await place.look()
    place.members.member_changed(MemberChanged(NOW, SALES, "PJSIP/101", None, "PJSIP/101"))
    place.members.member_changed(MemberChanged(NOW, "400", "hint:102@x", None, "Local/102@y/n"))
    assert await place.look() == [f"QueueAdd {SALES} PJSIP/101"]


async def test_a_switch_pauses_and_is_told_on() -> None:
    place = Place()
    told: dict[str, str] = {}
    place.members.tell = told.update
    await place.look()
    device = "Custom:dutyline-pause-102"
    place.devices[device] = "BUSY"
    place.members.device_changed(DeviceChanged(NOW, device, "BUSY"), None)
    place.members.device_changed(DeviceChanged(NOW, "PJSIP/101", "INUSE"), "NOT_INUSE")
    assert await place.look() == [f"QueuePause {HELP} PJSIP/102"]
    queues = {f"Queue:{name}": "NOT_INUSE" for name in (SALES, HELP)}
    assert told == {device: "BUSY", **queues}


async def test_a_refusal_is_told_once_and_tried_again() -> None:
    place = Place()
    place.pbx.answer = {"response": "Error", "message": "No such queue"}
    with capture_logs() as logs:
        for _ in range(3):
            place.members._all_due_at = None
            assert len(await place.look()) == 2
    assert [one["event"] for one in logs] == ["members.refused"] * 2
    place.pbx.answer = {"response": "Success"}
    place.members._all_due_at = None
    assert len(await place.look()) == 2


def test_a_switch_without_a_connection_disturbs_nobody() -> None:
    place = Place()
    with capture_logs() as logs:
        place.members.switch("Custom:dutyline-pause-101", "BUSY")
        place.members.switch("PJSIP/101", "BUSY")
    assert [one["event"] for one in logs] == ["switches.not_set"] * 2


async def test_a_rest_costs_little_among_many_groups() -> None:
    place = Place()
    names = [str(100 + number) for number in range(500)]
    groups = {
        f"g{group}": Group(
            f"g{group}",
            Roster("UTC", tuple(shift(names[(group * 10 + k) % 500]) for k in range(20))),
            QueueSettings(f"g{group}"),
        )
        for group in range(50)
    }
    place.members.set_up(Setup({name: Operator(name, name, name) for name in names}, groups))
    await place.look()
    place.members.talked("100", NOW)
    began = time.process_time()
    assert 1 <= len(await place.look()) <= 2
    assert time.process_time() - began < 0.05
