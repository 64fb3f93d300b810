"""The office as the demo and the fault tests use it: Asterisk, phones, and the real service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from telephony.ami.names import HEARTBEAT
from telephony.configfile import read_config
from telephony.domain.setup import Setup
from tests.demo import company
from tests.demo.service import DemoError, Service
from tests.demo.webhook import Receiver
from tests.lab.asterisk import Asterisk
from tests.lab.asterisk_tree import AsteriskTree
from tests.lab.behaviours import answer
from tests.lab.call import PhoneCall
from tests.lab.phones import Phone, Trunk
from tests.lab.redis import RedisTree

_PATIENCE = 30.0


@dataclass(slots=True)
class Stage:
    """Everything an act needs; `recorded` counts the records seen so far."""

    pbx: Asterisk
    trunk: Trunk
    phones: dict[str, Phone]
    service: Service
    setup: Setup
    receiver: Receiver | None = None
    recorded: int = 0

    def titles(self) -> dict[str, list[PhoneCall]]:
        """Return the phones' calls under the titles the transcript uses."""
        desks = {
            f"{company.OPERATORS[name]}'s desk phone ({name})": phone.calls
            for name, phone in self.phones.items()
        }
        return {**desks, "Anna's mobile": self.trunk.calls}

    def heartbeat(self) -> int:
        """Return the heartbeat as Asterisk has it, 0 when there is none."""
        return int(self.pbx.global_variable(HEARTBEAT) or 0)

    def answers(self) -> bool:
        """Tell whether the service's heartbeat is fresh."""
        return time.time() - self.heartbeat() < 3


async def wait_until(true: Callable[[], bool], what: str, within: float = _PATIENCE) -> None:
    """Poll until a condition holds. Raises DemoError."""
    deadline = time.monotonic() + within
    while not await asyncio.to_thread(true):
        if time.monotonic() > deadline:
            raise DemoError(f"not within {within:.0f} s: {what}")
        await asyncio.sleep(0.05)


@asynccontextmanager
async def open_stage(
    folder: Path,
    tree: AsteriskTree,
    progress: Callable[[str], None],
    database_url: str | None = None,
    redis: RedisTree | None = None,
) -> AsyncIterator[Stage]:
    """Open the office in an empty folder; everything in it is stopped at the end.

    `database_url` is that of an empty database, None for SQLite in the folder. Only the listener
    runs; with `redis` all parts do, and a system that is told of calls by a webhook.
    Raises DemoError, LabError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        pbx = Asterisk(tree, folder / "asterisk")
        service = Service(folder, pbx.ami_port, database_url)
        stack.callback(service.stop)
        if redis is not None:
            service.run_everything(redis, pbx.home / "log" / "cdr-csv" / "Master.csv")
        write_pbx_files(service, pbx, tree)
        await asyncio.to_thread(pbx.start)
        stack.callback(pbx.stop)
        progress(f"Asterisk {tree.version} runs on 127.0.0.1, SIP port {pbx.sip_port}")
        phones: dict[str, Phone] = {}
        for name in company.OPERATORS:
            phones[name] = Phone(name, f"pw{name}", ("127.0.0.1", pbx.sip_port), answer(0.4))
            await phones[name].start()
            stack.push_async_callback(phones[name].stop)
        trunk = Trunk(("127.0.0.1", pbx.sip_port), (pbx.trunk_ip, pbx.trunk_port))
        await trunk.start()
        stack.push_async_callback(trunk.stop)
        progress(f"{len(phones)} SIP phones registered, the provider's trunk is up")
        setup = _set_up_company(service, progress)
        stage = Stage(pbx, trunk, phones, service, setup)
        if redis is not None:
            stage.receiver = Receiver()
            stack.callback(stage.receiver.stop)
            _set_up_webhook(service, stage.receiver)
        service.start()
        await wait_until(stage.answers, f"the service answers, see {service.log}")
        progress("Dutyline listens")
        yield stage


def write_pbx_files(service: Service, pbx: Asterisk, tree: AsteriskTree) -> None:
    """Let `dutyline pbx-config` write what an admin would include."""
    made = service.folder / "pbx-config"
    service.command(
        "pbx-config", "--fallback", "endpoints:106", "--asterisk-version", tree.version,
        "--mobile-trunk", "trunk", "--internal-context", "internal", "--write", str(made),
    )  # fmt: skip
    for file in made.iterdir():
        pbx.write(file.name, file.read_text())


def _set_up_webhook(service: Service, receiver: Receiver) -> None:
    """Let another system hear of calls that begin, are answered and end."""
    service.environment["DUTYLINE_OUTGOING_PORTS"] = str(receiver.port)
    added = service.command("webhooks", "add", receiver.url)
    receiver.secret = next(word for word in added.split() if word.startswith("whsec_"))


def _set_up_company(service: Service, progress: Callable[[str], None]) -> Setup:
    """Make the database and bring the company into it, as an admin would."""
    text = company.configuration(datetime.now(UTC))
    (service.folder / "company.yaml").write_text(text)
    (service.folder / "clients.csv").write_text(company.CLIENTS)
    service.command("migrate")
    service.command("config", "apply", str(service.folder / "company.yaml"))
    imported = service.command("import", "clients", str(service.folder / "clients.csv"))
    progress(f"database made; {imported.strip()}")
    setup, errors = read_config(text, "RU")
    if errors:
        raise DemoError(str(errors[0]))
    return setup
