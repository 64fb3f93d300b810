"""Every behaviour of the scripted phones, on a real Asterisk."""

import asyncio
import time

import pytest

from tests.asterisk.lab_bench import DID, MOBILE, elapsed, phones, until
from tests.lab.asterisk import Asterisk
from tests.lab.errors import LabError
from tests.lab.phones import (
    Phone,
    answer,
    busy,
    decline,
    no_answer,
    not_found,
    silent,
    voicemail,
)
from tests.lab.ports import free_port


def test_call_between_phones_is_answered_and_ended_by_the_called(pbx: Asterisk) -> None:
    async def scene() -> None:
        async with phones(pbx) as bench:
            bench.two.behaviour = answer(after=0.2, talk=0.5)
            call = await bench.one.call("102")
            await call.wait_answered()
            await call.wait_ended()
            other = await bench.two.next_call()
            assert (call.ended_by, other.ended_by) == ("remote", "local")
            assert (other.from_number, other.from_name) == ("101", "Operator 101")
            assert 0.15 < elapsed(other.rang_at, other.answered_at) < 1.0
            assert 0.4 < elapsed(call.answered_at, call.ended_at) < 1.5
            assert call.rtp.received > 5
            assert other.rtp.received > 5

    asyncio.run(scene())


def test_refusals_reach_the_caller(pbx: Asterisk) -> None:
    async def scene() -> None:
        async with phones(pbx) as bench:
            seen: list[tuple[int | None, int | None, bool]] = []
            for behaviour in (busy(), busy(after=0.2), decline(after=0.1), not_found()):
                bench.two.behaviour = behaviour
                call = await bench.one.call("102")
                await call.wait_ended()
                other = await bench.two.next_call()
                assert (call.ended_by, other.ended_by) == ("rejected", "rejected")
                seen.append((other.final_code, call.final_code, other.rang_at is not None))
            # Asterisk tells the caller of a decline by the cause 21, which it says as 403.
            assert seen == [
                (486, 486, False), (486, 486, True), (603, 403, True), (404, 404, False),
            ]  # fmt: skip

    asyncio.run(scene())


def test_caller_hangs_up_while_it_rings(pbx: Asterisk) -> None:
    async def scene() -> None:
        async with phones(pbx) as bench:
            call = await bench.trunk.call(DID)
            await call.wait_ringing()
            other = await bench.one.next_call()
            await call.hangup()
            await other.wait_ended()
            assert (call.ended_by, call.final_code) == ("cancel", 487)
            assert other.ended_by == "cancel"
            assert other.answered_at is None
            with pytest.raises(TimeoutError):
                await other.wait_answered(0.1)

    asyncio.run(scene())


def test_no_answer_ends_with_the_dial(pbx: Asterisk) -> None:
    async def scene() -> None:
        async with phones(pbx) as bench:
            bench.one.behaviour = no_answer()
            call = await bench.trunk.call("74951234502")
            other = await bench.one.next_call()
            await call.wait_ended()
            assert call.ended_by == "rejected"
            assert other.ended_by == "cancel"
            assert 0.8 < elapsed(other.rang_at, other.ended_at) < 2

    asyncio.run(scene())


def test_silent_phone_gives_no_sign(pbx: Asterisk) -> None:
    async def scene() -> None:
        async with phones(pbx) as bench:
            bench.one.behaviour = silent()
            call = await bench.trunk.call(DID)
            other = await bench.one.next_call()
            with pytest.raises(TimeoutError):
                await call.wait_ringing(1.2)  # time for a retransmitted INVITE too
            assert other.rang_at is None
            assert len(bench.one.calls) == 1
            await call.hangup()
            assert call.ended_by == "cancel"

    asyncio.run(scene())


def test_voicemail_speaks_and_hangs_up(pbx: Asterisk) -> None:
    async def scene() -> None:
        async with phones(pbx) as bench:
            bench.two.behaviour = voicemail(after=0.1, stay=0.6)
            call = await bench.one.call("102")
            await call.wait_answered()
            await until(lambda: call.rtp.received > 10)
            assert call.rtp.silent_run == 0
            await call.wait_ended()
            assert call.ended_by == "remote"

    asyncio.run(scene())


def test_both_phones_of_an_endpoint_ring(pbx: Asterisk) -> None:
    async def scene() -> None:
        async with phones(pbx) as bench:
            second = Phone("101", "pw101", bench.one.server, answer(after=0.4))
            async with second:
                call = await bench.trunk.call(DID)
                await call.wait_answered()
                desk, soft = await bench.one.next_call(), await second.next_call()
                await desk.wait_ended()
                assert desk.ended_by == "cancel"
                assert soft.answered_at is not None
                await call.hangup()
                await soft.wait_ended()
                assert soft.ended_by == "remote"

    asyncio.run(scene())


def test_trunk_call_shows_number_and_name(pbx: Asterisk) -> None:
    async def scene() -> None:
        async with phones(pbx) as bench:
            bench.one.behaviour = answer(after=0)
            call = await bench.trunk.call(DID, number="+79001234567", name="Анна А")
            await call.wait_answered()
            other = await bench.one.next_call()
            assert other.from_number == "+79001234567"
            assert other.from_name == "Анна А"
            await call.dtmf("15#")
            await until(lambda: other.digits == "15#")
            await other.dtmf("2")
            await until(lambda: call.digits == "2")
            await call.hangup()
            await other.wait_ended()
            assert (call.ended_by, other.ended_by) == ("local", "remote")

    asyncio.run(scene())


def test_raw_from_header_reaches_asterisk(pbx: Asterisk) -> None:
    async def scene() -> None:
        async with phones(pbx) as bench:
            hostile = '"x" <sip:1%0d%0aEvent@127.0.0.2>'
            call = await bench.trunk.call(DID, from_header=hostile)
            await call.wait_ringing()
            await bench.one.next_call()
            await call.hangup()

    asyncio.run(scene())


def test_number_that_is_not_digits_is_refused(pbx: Asterisk) -> None:
    async def scene() -> None:
        async with phones(pbx) as bench:
            call = await bench.trunk.call("74951234567x")
            await call.wait_ended()
            assert (call.ended_by, call.final_code) == ("rejected", 404)

    asyncio.run(scene())


def test_read_takes_a_key_of_the_caller(pbx: Asterisk) -> None:
    async def scene() -> None:
        async with phones(pbx) as bench:
            call = await bench.trunk.call("74951234500")
            await call.wait_answered()
            await call.dtmf("7")
            await call.wait_ended()
            assert call.digits == "7"
            assert call.ended_by == "remote"

    asyncio.run(scene())


def test_mobile_presses_one_and_is_bridged(pbx: Asterisk) -> None:
    async def scene() -> None:
        async with phones(pbx) as bench:
            bench.trunk.mobiles[MOBILE] = answer(after=0.1, press="1")
            call = await bench.one.call(MOBILE)
            mobile = await bench.trunk.next_call()
            await mobile.wait_answered()
            # Bridged: each hears the silence of the other.
            await until(lambda: call.rtp.silent_run > 10 and mobile.rtp.silent_run > 10)
            assert "1" in await asyncio.to_thread(pbx.cli, "dialplan show globals")
            await call.hangup()
            await mobile.wait_ended()
            assert mobile.ended_by == "remote"

    asyncio.run(scene())


def test_unknown_mobile_is_not_found(pbx: Asterisk) -> None:
    async def scene() -> None:
        async with phones(pbx) as bench:
            call = await bench.one.call("79000000000")
            await call.wait_ended()
            assert (await bench.trunk.next_call()).dialled == "79000000000"
            assert call.final_code == 404

    asyncio.run(scene())


def test_refer_is_refused_on_the_trunk_and_taken_from_a_desk(pbx: Asterisk) -> None:
    async def scene() -> None:
        async with phones(pbx) as bench:
            bench.one.behaviour = bench.two.behaviour = answer(after=0)
            call = await bench.trunk.call(DID)
            await call.wait_answered()
            desk = await bench.one.next_call()
            assert await call.refer("102") == 603
            assert await desk.hold() == 200
            assert await desk.hold(on=False) == 200
            # A leg that is not bridged (again) is taken nowhere.
            call.rtp.silent_run = desk.rtp.silent_run = 0
            await until(lambda: call.rtp.silent_run > 10 and desk.rtp.silent_run > 10)
            assert await desk.refer("102") == 202
            moved = await bench.two.next_call()
            await moved.wait_answered()
            await desk.wait_ended()
            assert desk.ended_by == "local"
            assert call.live
            await call.hangup()
            await moved.wait_ended()

    asyncio.run(scene())


def test_attended_transfer(pbx: Asterisk) -> None:
    async def scene() -> None:
        async with phones(pbx) as bench:
            bench.one.behaviour = bench.two.behaviour = answer(after=0)
            call = await bench.trunk.call(DID)
            await call.wait_answered()
            desk = await bench.one.next_call()
            await desk.hold()
            consultation = await bench.one.call("102")
            await consultation.wait_answered()
            other = await bench.two.next_call()
            # Answered is not bridged yet, and an unbridged leg cannot be handed over.
            both = (consultation.rtp, other.rtp)
            await until(lambda: all(audio.silent_run > 10 for audio in both))
            assert await desk.refer("102", replaces=consultation) == 202
            await desk.wait_ended()
            await consultation.wait_ended()
            call.rtp.silent_run = other.rtp.silent_run = 0
            await until(lambda: call.rtp.silent_run > 10 and other.rtp.silent_run > 10)
            await call.hangup()
            await other.wait_ended()

    asyncio.run(scene())


def test_registration(pbx: Asterisk) -> None:
    async def scene() -> None:
        server = ("127.0.0.1", pbx.sip_port)
        wrong = Phone("103", "wrong", server)
        with pytest.raises(LabError, match="refused"):
            await wrong.start()
        await wrong.stop()
        async with Phone("103", "pw103", server) as phone:
            show = "pjsip show aor 103"
            assert "sip:103@127.0.0.1" in await asyncio.to_thread(pbx.cli, show)
            await phone.unregister()
            assert "sip:103@127.0.0.1" not in await asyncio.to_thread(pbx.cli, show)
            await phone.register()
            assert "sip:103@127.0.0.1" in await asyncio.to_thread(pbx.cli, show)

    asyncio.run(scene())


def test_nobody_at_the_other_end_is_told_in_time() -> None:
    async def scene() -> None:
        phone = Phone("101", "x", ("127.0.0.1", free_port()))
        await phone.open()
        call = await phone.call("102")
        with pytest.raises(TimeoutError):
            await call.wait_ringing(0.2)
        began = time.monotonic()
        await phone.stop()
        assert time.monotonic() - began < 3
        assert call.ended_by in ("cancel", "stopped")

    asyncio.run(scene())
