"""A FastAGI server as one writes it with asyncio: it tells Asterisk which phone to dial."""

from __future__ import annotations

import asyncio
import gc
import sys

from tests.bench import people
from tests.bench.load import caller_number
from tests.bench.office import KNOWN_CALLERS, MANAGERS


def _targets() -> dict[str, str]:
    return {
        f"+{caller_number(index, MANAGERS)}": f"PJSIP/{people.endpoint(index % MANAGERS)}"
        for index in range(KNOWN_CALLERS)
    }


async def _serve(port: int) -> None:
    targets = _targets()
    gc.collect()
    gc.freeze()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = b""
        while (line := await reader.readline()).strip():
            if line.startswith(b"agi_callerid: "):
                number = line[14:].strip()
        target = targets.get(number.decode(), "PJSIP/fallback")
        writer.write(f'SET VARIABLE BENCH_TARGET "{target}"\n'.encode())
        await reader.readline()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=512)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
