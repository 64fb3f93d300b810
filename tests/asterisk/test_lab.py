"""The lab itself, on a real Asterisk and a real PostgreSQL: what the other tests stand on."""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab import sip
from tests.lab.asterisk import Asterisk, Endpoint
from tests.lab.asterisk_tree import AsteriskTree, ensure_asterisk, wanted_modules
from tests.lab.cache import building, default_cache, is_ready
from tests.lab.errors import LabError
from tests.lab.phones import (
    Phone,
    Trunk,
    answer,
    busy,
    decline,
    no_answer,
    not_found,
    silent,
    voicemail,
)
from tests.lab.ports import free_port
from tests.lab.postgres import Postgres, ensure_postgres
from tests.lab.sipp import Sipp, ensure_sipp

DID = "74951234567"
MOBILE = "79005556677"
EXTENSIONS = """
[dutyline-incoming]
exten => 74951234567,1,Dial(${PJSIP_DIAL_CONTACTS(101)},20,g)
 same => n,Hangup(${HANGUPCAUSE})
exten => 74951234500,1,Answer()
 same => n,Read(LAB_KEY,,1,,1,5)
 same => n,SendDTMF(${LAB_KEY})
 same => n,Wait(0.5)
 same => n,Hangup()
exten => 74951234502,1,Dial(PJSIP/101,1)
 same => n,Hangup(${HANGUPCAUSE})
exten => 74951234501,1,Dial(PJSIP/load,20,g)
 same => n,Hangup(${HANGUPCAUSE})

[lab-screen]
exten => s,1,Read(LAB_KEY,,1,,1,5)
 same => n,Set(GLOBAL(LAB_PRESSED)=${LAB_KEY})
 same => n,ExecIf($["${LAB_KEY}" != "1"]?Set(GOSUB_RESULT=CONTINUE))
 same => n,Return()

[dutyline-mobile]
exten => 79005556677,1,Dial(PJSIP/${EXTEN}@trunk,15,gU(lab-screen))
 same => n,Hangup()
"""


@dataclass
class Bench:
    """Phones 101 and 102 and the provider, at one Asterisk."""

    pbx: Asterisk
    one: Phone
    two: Phone
    trunk: Trunk


@pytest.fixture(scope="module")
def tree() -> AsteriskTree:
    """The cached Asterisk."""
    return ensure_asterisk(default_cache(), print)


@pytest.fixture(scope="module")
def pbx(tree: AsteriskTree, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asterisk]:
    """One running Asterisk for all tests here."""
    files = {"dutyline_extensions.conf": EXTENSIONS}
    with Asterisk(tree, tmp_path_factory.mktemp("pbx"), files=files) as running:
        # Mobiles are dialled from a phone through a context of the test's own.
        running.write(
            "extensions.conf",
            (running.etc / "extensions.conf").read_text(encoding="utf-8")
            + f"exten => {MOBILE},1,Goto(dutyline-mobile,${{EXTEN}},1)\n",
        )
        running.reload()
        yield running


@asynccontextmanager
async def phones(pbx: Asterisk) -> AsyncIterator[Bench]:
    """Start the phones and the provider."""
    server = ("127.0.0.1", pbx.sip_port)
    async with (
        Phone("101", "pw101", server) as one,
        Phone("102", "pw102", server) as two,
        Trunk(server, (pbx.trunk_ip, pbx.trunk_port)) as trunk,
    ):
        yield Bench(pbx, one, two, trunk)


async def until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until a condition holds; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "condition not met in time"
        await asyncio.sleep(0.01)


def runs(server: Asterisk | Postgres) -> bool:
    """Say whether a server runs now."""
    return server.pid is not None


def elapsed(since: float | None, until_then: float | None) -> float:
    """Return the seconds between two times that must both be known."""
    assert since is not None
    assert until_then is not None
    return until_then - since


# --- Asterisk


def test_every_module_loads_and_the_log_is_clean(pbx: Asterisk) -> None:
    shown = pbx.cli("module show")
    missing = [
        name
        for name in wanted_modules()
        if (pbx.tree.modules / f"{name}.so").exists() and f"{name}.so" not in shown
    ]
    assert missing == []
    assert "Not Running" not in shown
    assert not re.search(r"Error loading module|ERROR\[", pbx.log())


def test_needed_modules_are_in_the_tree(tree: AsteriskTree) -> None:
    for name in ("app_waitforcond", "app_exec", "app_queue", "app_mixmonitor", "res_agi"):
        assert (tree.modules / f"{name}.so").exists()


def test_server_is_not_root(pbx: Asterisk) -> None:
    assert pbx.pid is not None
    status = Path(f"/proc/{pbx.pid}/status").read_text(encoding="ascii")
    assert pbx.note or not re.search(r"^Uid:\s+0\b", status, re.M)


def test_skipped_module_is_absent_and_added_file_is_read(
    tree: AsteriskTree, tmp_path: Path
) -> None:
    files = {"queues.conf": "[general]\n[night]\nstrategy = linear\n"}
    other = Asterisk(
        tree,
        tmp_path / "pbx",
        files=files,
        skip_modules=["app_waitforcond"],
        endpoints=[Endpoint("201", "x")],
        full_log=True,
    )
    with other:
        assert "app_waitforcond" not in other.cli("module show")
        assert "night" in other.cli("queue show")
        assert "201" in other.cli("pjsip show endpoints")
        assert "VERBOSE" in other.log()
        assert (tmp_path / "pbx" / "etc" / "queues.conf").exists()


def test_kill_pause_and_restart(tree: AsteriskTree, tmp_path: Path) -> None:
    with Asterisk(tree, tmp_path / "pbx") as other:
        ports = (other.sip_port, other.ami_port)
        first = other.pid
        other.kill()
        assert not runs(other)
        with pytest.raises(LabError):
            other.cli("core show version")
        other.start()
        assert other.pid not in (None, first)
        assert (other.sip_port, other.ami_port) == ports
        other.pause()
        stat = Path(f"/proc/{other.pid}/stat").read_text(encoding="ascii")
        assert stat.rpartition(")")[2].split()[0] == "T"
        other.resume()
        assert "Asterisk 2" in other.cli("core show version")
    assert not runs(other)


def test_a_broken_configuration_is_told_with_the_log(tree: AsteriskTree, tmp_path: Path) -> None:
    other = Asterisk(tree, tmp_path / "pbx", files={"modules.conf": "[modules]\nrequire = no.so\n"})
    with pytest.raises(LabError, match="Asterisk"):
        other.start(timeout=5)
    assert not runs(other)


def test_broken_build_is_not_taken_as_done(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    with pytest.raises(RuntimeError), building(tree, "a"):
        raise RuntimeError
    assert not is_ready(tree, "a")
    assert list(tmp_path.iterdir()) == []
    with building(tree, "a") as fresh:
        (fresh / "file").touch()
    assert is_ready(tree, "a")
    assert not is_ready(tree, "b")
    with building(tree, "b"):
        pass
    assert is_ready(tree, "b")
    assert not (tree / "file").exists()


# --- phones


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
            assert await desk.refer("102", replaces=consultation) == 202
            await desk.wait_ended()
            await consultation.wait_ended()
            other = await bench.two.next_call()
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


# --- SIP without a network

INVITE = (
    b"INVITE sip:101@127.0.0.1:5 SIP/2.0\r\nv: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKa;rport\r\n"
    b'f: "A \\"B\\"" <sip:+7900@h>;tag=q1\r\nTo: <sip:101@h>\r\nCall-ID: c\r\n'
    b"CSeq: 7  INVITE\r\nX-Long: one\r\n two\r\nContent-Length: 2\r\n\r\nhi"
)


def test_parse_message() -> None:
    message = sip.parse(INVITE)
    assert (message.method, message.uri, message.cseq) == (
        "INVITE",
        "sip:101@127.0.0.1:5",
        (7, "INVITE"),
    )
    assert message.branch == "z9hG4bKa"
    caller = message.get("from")
    assert (sip.user_of(caller), sip.name_of(caller), sip.tag_of(caller)) == (
        "+7900",
        'A "B"',
        "q1",
    )
    assert message.get("x-long") == "one two"
    assert message.body == b"hi"
    answered = sip.parse(sip.response(message, 486, "mine"))
    assert (answered.status, answered.method, sip.tag_of(answered.get("to"))) == (
        486,
        "INVITE",
        "mine",
    )


@pytest.mark.parametrize(
    "data", [b"", b"\r\n\r\n", b"\x80\x08", INVITE.replace(b"7  INVITE", b"x"), INVITE[:40]]
)
def test_parse_refuses_what_is_not_sip(data: bytes) -> None:
    with pytest.raises(sip.SipError):
        sip.parse(data)


def test_digest_of_the_standard() -> None:
    """The example of RFC 2617, 3.5."""
    challenge = (
        'Digest realm="testrealm@host.com", qop="auth,auth-int", '
        'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    answered = sip.digest_authorization(
        challenge,
        "GET",
        "/dir/index.html",
        user="Mufasa",
        password="Circle Of Life",
        cnonce="0a4f113b",
    )
    assert 'response="6629fae49393a05397450978507c4ef1"' in answered
    with pytest.raises(sip.SipError):
        sip.digest_authorization("Basic realm=x", "GET", "/", user="a", password="b")


def test_sdp_round_trip() -> None:
    media = sip.Media("127.0.0.2", 4000, "sendonly", 96, (0, 8))
    assert sip.parse_sdp(sip.build_sdp(media, 1, 2)) == media
    assert sip.parse_sdp(b"v=0\r\n") is None


# --- PostgreSQL and sipp


def test_postgres(tmp_path: Path) -> None:
    server = Postgres(ensure_postgres(default_cache(), print), tmp_path / "pg")
    with server:
        assert re.fullmatch(r"postgresql\+psycopg://\w+@127\.0\.0\.1:\d+/dutyline", server.url)
        url = server.create_database("other")
        assert url.endswith("/other")
        with pytest.raises(LabError, match="already exists"):
            server.create_database("other")
        server.drop_database("other")
        server.create_database("other")
        with pytest.raises(LabError, match="plain"):
            server.create_database('x"; DROP')
        server.kill()
        assert not runs(server)
        server.start()
        server.pause()
        server.resume()
        with pytest.raises(LabError, match="already exists"):
            server.create_database("other")
    assert not runs(server)


def test_sipp_calls_through_asterisk(tree: AsteriskTree, tmp_path: Path) -> None:
    sipp = ensure_sipp(default_cache(), print)
    pbx = Asterisk(tree, tmp_path / "pbx", files={"dutyline_extensions.conf": EXTENSIONS})
    port = free_port()
    pbx.write(
        "pjsip.conf",
        (pbx.etc / "pjsip.conf").read_text(encoding="utf-8")
        + "\n[load]\ntype = endpoint\ncontext = internal\nallow = !all,alaw\naors = load\n"
        + f"send_connected_line = no\n[load]\ntype = aor\ncontact = sip:x@127.0.0.1:{port}\n",
    )
    with (
        pbx,
        Sipp(sipp, tmp_path / "uas", "operator", local=("127.0.0.1", port), pause=0.1),
        Sipp(
            sipp,
            tmp_path / "uac",
            "caller",
            local=(pbx.trunk_ip, pbx.trunk_port),
            remote=("127.0.0.1", pbx.sip_port),
            rate=10,
            calls=10,
            pause=0.3,
            did="74951234501",
        ) as caller,
    ):
        result = caller.wait(30)
    assert (result.started, result.succeeded, result.failed) == (10, 10, 0)
    assert result.exit_code == 0


def test_cache_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DUTYLINE_LAB_CACHE", str(tmp_path))
    assert default_cache() == tmp_path.resolve()
    assert os.environ["DUTYLINE_LAB_CACHE"]
