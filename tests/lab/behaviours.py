"""What a scripted phone does when it is called: small coroutines made by these functions."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.lab.call import PhoneCall

Ringing = PhoneCall
Behaviour = Callable[[Ringing], Awaitable[None]]

_BRIDGED_PACKETS = 25  # half a second of pure silence: another phone of the lab is there


def answer(after: float = 0.2, talk: float | None = None, press: str = "") -> Behaviour:
    """Ring for `after` s, answer, hang up after `talk` s (None: stay until the other side ends).

    `press` are keys sent 0.5 s after the answer and again each second until the phone hears
    another phone of the lab, three times at most.
    """

    async def behave(call: Ringing) -> None:
        call.ring()
        await asyncio.sleep(after)
        await call.answer()
        async with asyncio.TaskGroup() as group:
            if press:
                group.create_task(_press(call, press))
            if talk is not None:
                group.create_task(_leave(call, talk))

    return behave


async def _leave(call: Ringing, talk: float) -> None:
    await asyncio.sleep(talk)
    await call.hangup()


async def _press(call: Ringing, keys: str) -> None:
    await asyncio.sleep(0.5)
    for _ in range(3):
        await call.dtmf(keys)
        call.rtp.silent_run = 0
        for _ in range(20):
            await asyncio.sleep(0.05)
            if call.rtp.silent_run >= _BRIDGED_PACKETS:
                return


def busy(after: float = 0.0) -> Behaviour:
    """Refuse with 486, at once or after ringing for `after` s."""
    return _refuse(486, after)


def decline(after: float = 0.2) -> Behaviour:
    """Ring for `after` s, then refuse with 603, as when somebody presses the red button."""
    return _refuse(603, after)


def not_found() -> Behaviour:
    """Refuse with 404: there is no such number."""
    return _refuse(404, 0.0)


def refuse(code: int, after: float = 0.0) -> Behaviour:
    """Refuse with any final code, at once or after ringing for `after` s."""
    return _refuse(code, after)


def _refuse(code: int, after: float) -> Behaviour:
    async def behave(call: Ringing) -> None:
        if after > 0:
            call.ring()
            await asyncio.sleep(after)
        call.reject(code)

    return behave


def no_answer() -> Behaviour:
    """Ring until the caller gives up."""

    async def behave(call: Ringing) -> None:
        call.ring()

    return behave


def silent() -> Behaviour:
    """Never answer the INVITE at all, as a phone that lost its network."""

    async def behave(call: Ringing) -> None:
        return

    return behave


def voicemail(after: float = 0.3, stay: float = 20.0) -> Behaviour:
    """Answer after `after` s, make noise as a greeting does, hang up after `stay` s."""

    async def behave(call: Ringing) -> None:
        call.ring()
        await asyncio.sleep(after)
        call.rtp.noisy = True
        await call.answer()
        await _leave(call, stay)

    return behave
