"""`dutyline doctor` on a real Asterisk: the user who places callbacks, and their contexts."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from telephony.ami import names
from telephony.ami.client import AmiAddress
from telephony.ami.oneshot import session
from telephony.cli.diallercheck import check_dialler
from telephony.cli.doctor import _check_dialplan
from telephony.cli.findings import Finding, Level
from tests.asterisk.office import SECRET, TOKEN, Office, office

MANAGER = "dutyline_manager.conf"
DIALPLAN = "dutyline_extensions.conf"


def _dialler(place: Office, secret: str | None = None) -> AmiAddress:
    user, own = names.dialler_of("dutyline", SECRET)
    return AmiAddress("127.0.0.1", place.pbx.ami_port, user, secret or own)


async def _rights(place: Office, text: str) -> Finding:
    """Return what is found of the dialler with another manager file."""
    place.pbx.write(MANAGER, text)
    await asyncio.to_thread(place.pbx.reload)
    (found,) = await asyncio.to_thread(lambda: list(check_dialler(_dialler(place))))
    return found


async def test_the_user_who_places_callbacks(tmp_path: Path) -> None:
    async with office(tmp_path, listening=False) as place:
        (found,) = await asyncio.to_thread(lambda: list(check_dialler(_dialler(place))))
        assert (found.level, found.what) == (
            Level.OK, "user dutyline-dial may place callbacks, and do nothing else",
        )  # fmt: skip
        (found,) = await asyncio.to_thread(lambda: list(check_dialler(_dialler(place, "wrong"))))
        assert (found.level, "refused user dutyline-dial" in found.what) == (Level.FAILED, True)
        assert "pbx-config --again" in found.advice
        usual = (place.pbx.etc / MANAGER).read_text()
        right = "write = originate,reporting"
        assert usual.count(right) == 1
        for less, missing in (
            ("write = reporting", "place calls"),
            ("write = originate", "ask what became of them"),
        ):
            found = await _rights(place, usual.replace(right, less))
            assert found.level is Level.FAILED
            assert found.what.endswith(f"may not {missing}")
        for more, too_much in (
            ("command", "run console commands"),
            ("config", "change the configuration"),
        ):
            found = await _rights(place, usual.replace(right, f"{right},{more}"))
            assert (found.level, found.what.rpartition(" may ")[2]) == (Level.WARNING, too_much)
        # A file of an older version has no such user.
        found = await _rights(place, usual.partition("[dutyline-dial]")[0])
        assert (found.level, "refused user" in found.what) == (Level.FAILED, True)


async def test_a_dialplan_of_an_older_version(tmp_path: Path) -> None:
    async with office(tmp_path, listening=False) as place:
        address = AmiAddress("127.0.0.1", place.pbx.ami_port, "dutyline", SECRET)

        def found() -> Finding:
            with session(address) as pbx:
                (one,) = _check_dialplan(pbx, TOKEN)
            return one

        assert (await asyncio.to_thread(found)).level is Level.OK
        usual = (place.pbx.etc / DIALPLAN).read_text()
        parts = re.split(r"(?m)^(?=\[)", usual)
        older = [part for part in parts if part[1:].partition("]")[0] not in names.ORDER_CONTEXTS]
        assert len(parts) - len(older) == len(names.ORDER_CONTEXTS)
        place.pbx.write(DIALPLAN, "".join(older))
        await asyncio.to_thread(place.pbx.reload)
        one = await asyncio.to_thread(found)
        assert one.level is Level.FAILED
        assert one.what.startswith("not in the dialplan, so nobody is called back: ")
        assert all(context in one.what for context in names.ORDER_CONTEXTS)
        assert "pbx-config --again" in one.advice
        place.pbx.write(DIALPLAN, "".join(part for part in older if "[dutyline-steps]" not in part))
        await asyncio.to_thread(place.pbx.reload)
        one = await asyncio.to_thread(found)
        assert one.what.startswith("not in the dialplan: dutyline-steps")
