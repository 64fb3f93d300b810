"""One Asterisk, two phones and a provider, for the tests of the lab itself."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.lab.asterisk import Asterisk
from tests.lab.phones import (
    Phone,
    Trunk,
)
from tests.lab.postgres import Postgres

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
