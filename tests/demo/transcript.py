"""What the demo prints: one call as it happens, then who got it and why."""

from __future__ import annotations

import asyncio
import sys
import textwrap
import time
from collections.abc import Iterable, Mapping

from tests.lab.call import PhoneCall

_WIDTH = 92
_COLOUR = sys.stdout.isatty()


def _paint(text: str, code: str) -> str:
    return f"\033[{code}m{text}\033[0m" if _COLOUR else text


def headline(text: str) -> None:
    """Print what comes next."""
    print(f"\n{_paint('━━ ' + text + ' ' + '━' * max(0, _WIDTH - len(text) - 4), '1')}", flush=True)


def say(text: str) -> None:
    """Print a paragraph of the story."""
    print(textwrap.fill(text, _WIDTH), flush=True)


def progress(text: str) -> None:
    """Print a step of the preparation."""
    print(f"  {_paint('·', '2')} {text}", flush=True)


def indented(text: str) -> None:
    """Print a block, set off from the story."""
    print(textwrap.indent(text.strip("\n"), "    "), flush=True)


class Watch:
    """Prints what phones do during one call, with the ms since the caller dialled."""

    def __init__(self, caller: PhoneCall, phones: Mapping[str, Iterable[PhoneCall]]) -> None:
        """`phones` maps a phone's title to its calls, a list that grows while we watch."""
        self._caller = caller
        self._phones = phones
        self._begun = {id(call) for calls in phones.values() for call in calls}
        self._told: set[tuple[int, str]] = set()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Tell what is left and stop."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._look()

    async def _run(self) -> None:
        while True:
            self._look()
            await asyncio.sleep(0.01)

    def _look(self) -> None:
        seen: list[tuple[float, int, str, str]] = []
        for title, calls in self._phones.items():
            for call in calls:
                if id(call) in self._begun or call.direction != "in":
                    continue
                shown = f"{title} rings"
                if call.from_name:
                    shown += f', its display says "{call.from_name}"'
                seen += self._news(call, "rang", call.rang_at, shown)
                seen += self._news(call, "up", call.answered_at, f"{title} picks up")
                if call.ended_by == "rejected":
                    seen += self._news(call, "no", call.ended_at, f"{title} is busy")
                elif call.ended_by == "cancel":
                    seen += self._news(call, "no", call.ended_at, f"{title} stops ringing")
        caller = self._caller
        seen += self._news(caller, "up", caller.answered_at, "the caller is talking")
        if caller.ended_by is not None:
            who = "the caller hangs up" if caller.ended_by == "local" else "the call ends"
            seen += self._news(caller, "end", caller.ended_at, who)
        for at, _, _, text in sorted(seen):
            ms = (at - caller.invited_at) * 1000
            print(f"  {_paint(f'{ms:7,.0f} ms', '36')}  {text}", flush=True)

    def _news(
        self, call: PhoneCall, what: str, at: float | None, text: str
    ) -> list[tuple[float, int, str, str]]:
        if at is None or (id(call), what) in self._told:
            return []
        self._told.add((id(call), what))
        return [(at, id(call), what, text)]


class Clock:
    """How long the demo took, in seconds."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.played = False  # the day is over, the demo only stays up

    def __str__(self) -> str:
        return f"{time.monotonic() - self.began:.0f} s"
