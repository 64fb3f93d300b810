"""Callers who attack: through their number, their name, the DID, and a stolen manager login."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

import pytest

from telephony.ami import actions
from telephony.ami.client import AmiAddress
from telephony.ami.oneshot import session
from telephony.domain.record import Disposition, Side
from tests.asterisk.office import DID, KNOWN, SECRET, Office, office, until
from tests.golden.record import FORGED
from tests.lab.call import PhoneCall


async def _attack(place: Office, number: str, name: str = "") -> PhoneCall:
    return await place.trunk.call(
        DID, from_header=f"{name}<sip:{quote(number, safe='')}@127.0.0.2>"
    )


async def test_forged_events_end_no_call_and_make_no_call(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        genuine = await place.trunk.call(DID, KNOWN)
        await genuine.wait_answered(5)
        target = next(iter(place.listener._calls))
        for number in FORGED:
            # Aimed at the very call that is up.
            aimed = number.replace("1795000000.1", target.removeprefix("dutyline-lab-"))
            attack = await _attack(place, aimed)
            await attack.wait_answered(5)
            await attack.hangup()
        assert genuine.live
        await genuine.hangup()
        made = {record.number: record for record in await place.records.wait(1 + len(FORGED))}
        assert made[KNOWN].disposition is Disposition.ANSWERED
        assert made[KNOWN].hung_up_by is Side.CALLER
        assert made[KNOWN].talk_ms > 100
        assert all(set(number) <= set("+0123456789") for number in made)
        assert len(place.listener._calls) == 1 + len(FORGED)


@pytest.mark.parametrize(
    "name",
    [
        '"x, CallId: 1.1, Token: guess" ',
        '"x\\\\r\\\\nEvent: Hangup" ',
        '"<script>alert(1)</script>" ',
        '"${SHELL(id)}" ',
        '"' + "A" * 300 + '" ',
    ],
)
async def test_a_display_name_reaches_neither_events_nor_phones(tmp_path: Path, name: str) -> None:
    async with office(tmp_path) as place:
        call = await place.trunk.call(DID, from_header=f"{name}<sip:{KNOWN}@127.0.0.2>")
        ringing = await place.phones["101"].next_call(5)
        await call.wait_answered(5)
        await call.hangup()
        assert ringing.from_name == "Sales: Ромашка", "the directory's name, not the caller's"
        (made,) = await place.records.wait()
        assert made.disposition is Disposition.ANSWERED


@pytest.mark.parametrize(
    ("number", "recorded"),
    [
        ("+7900111223344556677889900", "+790011122334455"),
        ("PJSIP/101&PJSIP/102", "101102"),
        ("anonymous", ""),
        ("7900+1112233", "79001112233"),
        ("7900,1112233", "79001112233"),
        ("١٢٣٤٥", ""),
    ],
)
async def test_a_number_keeps_only_digits(tmp_path: Path, number: str, recorded: str) -> None:
    async with office(tmp_path) as place:
        call = await _attack(place, number)
        await call.wait_answered(8)
        await call.hangup()
        (made,) = await place.records.wait()
        assert made.number.lstrip("+") == recorded.lstrip("+")
        assert made.answered_by in ("101", "103")


async def test_the_shipped_user_can_do_nothing_more(tmp_path: Path) -> None:
    async with office(tmp_path, listening=False) as place:
        address = AmiAddress("127.0.0.1", place.pbx.ami_port, "dutyline", SECRET)

        def answers() -> list[str]:
            with session(address) as pbx:
                return [
                    pbx.ask(fields)["response"]
                    for fields in (
                        (("Action", "Command"), ("Command", "core stop now")),
                        (("Action", "Getvar"), ("Variable", "SHELL(id)")),
                        (("Action", "Setvar"), ("Variable", "SHELL(id)"), ("Value", "x")),
                        (
                            ("Action", "Originate"),
                            ("Channel", "Local/1@internal"),
                            ("Application", "System"),
                            ("Data", "id"),
                        ),
                        (("Action", "UpdateConfig"), ("SrcFilename", "manager.conf")),
                        (("Action", "ModuleLoad"), ("LoadType", "reload")),
                        (("Action", "UserEvent"), ("UserEvent", "DutylineIncoming")),
                    )
                ]

        assert await asyncio.to_thread(answers) == ["Error"] * 7
        assert "uid=" not in place.pbx.log()


async def test_another_user_event_with_a_wrong_token_is_counted_and_ignored(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as place:
        event = (
            ("Action", "UserEvent"),
            ("UserEvent", "DutylineIncoming"),
            ("CallId", "1795000000.1"),
            ("Token", "guess"),
        )
        address = AmiAddress("127.0.0.1", place.pbx.ami_port, "lab", "labsecret")

        def forge() -> None:
            with session(address) as pbx:
                assert pbx.ask(event)["response"] == "Success"

        before = place.listener.decoder.counters.malformed
        await asyncio.to_thread(forge)
        await until(lambda: place.listener.decoder.counters.malformed > before, 5, "it is counted")
        assert not place.listener._calls


async def test_an_action_with_line_ends_is_never_sent(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        with pytest.raises(actions.BadValue):
            await place.listener.client.ask(
                (("Action", "Getvar"), ("Variable", "EPOCH\r\n\r\nAction: Logoff"))
            )
        assert place.listener.client.connected
