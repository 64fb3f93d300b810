"""The PBX under load: the lab's Asterisk with 200 phones, Dutyline's files and the rivals'."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from telephony.ami import names
from telephony.asterisk.dialplan import dialplan
from telephony.asterisk.lines import DialplanOptions, Fallback
from telephony.asterisk.manager import ManagerOptions, manager
from telephony.store.client_changes import save_clients
from telephony.store.clients import ClientData
from telephony.store.engine import open_engine, writing
from telephony.store.migrations import migrate
from telephony.store.setup import replace_setup
from tests.bench import people
from tests.bench.load import Addresses, Load, Result, caller_number
from tests.lab.asterisk import Asterisk
from tests.lab.asterisk_tree import ensure_asterisk
from tests.lab.cache import default_cache
from tests.lab.errors import LabError
from tests.lab.process import tail

TOKEN = "bench-token-0123456789"
USER, SECRET = "dutyline", "bench-secret"
MANAGERS = 200
KNOWN_CALLERS = 4000
TALK = 0.3
BARE_DID, AGI_DID = "74950000001", "74950000002"
PHONES_IP = "127.0.0.3"
FALLBACK = "fallback"


def _pjsip(phones: tuple[str, int]) -> str:
    """Return one endpoint for each manager and one for the fallback, all at the same address."""
    sections = []
    for name in (*(people.endpoint(index) for index in range(MANAGERS)), FALLBACK):
        sections.append(
            f"[{name}]\ntype = endpoint\ncontext = internal\ndisallow = all\nallow = alaw\n"
            f"direct_media = no\nsend_connected_line = no\naors = {name}\nidentify_by = username\n"
            f"[{name}]\ntype = aor\ncontact = sip:{name}@{phones[0]}:{phones[1]}\n"
        )
    return "\n" + "\n".join(sections)


def pbx_files(version: tuple[int, int]) -> dict[str, str]:
    """Return Dutyline's own files for Asterisk."""
    fallback = Fallback("endpoints", FALLBACK, 20)
    return {
        "dutyline_extensions.conf": dialplan(DialplanOptions(TOKEN, fallback)),
        "dutyline_manager.conf": manager(ManagerOptions(USER, SECRET, version)),
    }


def _rivals(agi_port: int) -> str:
    """Return a bare Dial and FastAGI; the manager is the number's last three digits."""
    return (
        f"exten => {BARE_DID},1,Dial(PJSIP/op${{CALLERID(num):-3}},20,g)\n"
        " same => n,Hangup()\n"
        f"exten => {AGI_DID},1,AGI(agi://127.0.0.1:{agi_port}/)\n"
        " same => n,Dial(${BENCH_TARGET},20,g)\n"
        " same => n,Hangup()\n"
    )


def seed(url: str) -> None:
    """Fill a fresh database: managers in groups of ten, the callers as their clients."""
    migrate(url)
    engine = open_engine(url)
    callers = [
        ClientData(
            name=people.client_name(index),
            phones=(f"+{caller_number(index, MANAGERS)}",),
            manager=people.extension(index % MANAGERS),
        )
        for index in range(KNOWN_CALLERS)
    ]
    with writing(engine) as session:
        replace_setup(session, people.setup(MANAGERS))
        save_clients(session, callers)
    engine.dispose()


def cpu_seconds(pid: int | None = None) -> float:
    """Return the CPU time that a process, or without `pid` everything on the machine, has used."""
    tick = os.sysconf("SC_CLK_TCK")
    if pid is None:
        fields = Path("/proc/stat").read_text(encoding="ascii").split()[1:8]
        user, nice, system, _idle, _iowait, irq, softirq = (int(field) for field in fields)
        return (user + nice + system + irq + softirq) / tick
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    after_name = text.rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / tick


class Process:
    """A Python process that belongs to the benchmark."""

    def __init__(self, log: Path, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        self._argv = [sys.executable, "-m", *arguments]
        self._log = log
        self._env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._argv, stdout=output, stderr=output, env=self._env
            )

    @property
    def pid(self) -> int | None:
        """The process id, None when it does not run."""
        return self._process.pid if self._process else None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._process is not None:
            self._process.send_signal(number)

    def stop(self) -> None:
        """End it in an orderly way, by force after 10 s."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


class Office:
    """The parts, while the benchmark runs."""

    def __init__(
        self,
        pbx: Asterisk,
        addresses: Addresses,
        dutyline: Process,
        agi: Process,
        database: Path,
    ) -> None:
        self._database = database
        self.pbx = pbx
        self.addresses = addresses
        self.dutyline = dutyline
        self.agi = agi

    def load(self, did: str, rate: float, seconds: float, *, fallback: bool = False) -> Result:
        """Make calls to a DID and return what became of them."""
        calls = max(1, round(rate * seconds))
        load = Load(self.addresses, did, rate=rate, calls=calls, talk=TALK, managers=MANAGERS)
        load.expect_fallback = fallback
        began, others = time.time(), self._foreign_seconds()
        result = load.run()
        result.span = (began, time.time())
        used = self._foreign_seconds() - others
        result.foreign = max(0.0, used / (result.span[1] - began))
        time.sleep(0.3)
        return result

    def _foreign_seconds(self) -> float:
        """Return the CPU seconds that programs other than the benchmark's have used so far."""
        own = (self.pbx.pid, self.dutyline.pid, self.agi.pid, os.getpid())
        return cpu_seconds() - sum(cpu_seconds(pid) for pid in own if pid)

    def decided(self, result: Result) -> list[float]:
        """Return what the listener measured itself for a run's calls: event in → plan out, ms."""
        began, ended = (
            datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f") for at in result.span
        )
        with sqlite3.connect(self._database) as connection:
            rows = connection.execute(
                "SELECT decided_ms FROM call WHERE decided_ms IS NOT NULL "
                "AND started_at BETWEEN ? AND ?",
                (began, ended),
            ).fetchall()
        connection.close()
        return [float(row[0]) for row in rows]

    def heartbeat_age(self) -> float:
        """Return how old Dutyline's heartbeat is, in seconds; a great number when there is none."""
        beat = self.pbx.global_variable(names.HEARTBEAT)
        return time.time() - int(beat) if beat else 1e9

    def wait_fresh(self, within: float = 20.0) -> None:
        """Wait until the heartbeat is fresh; raises LabError."""
        deadline = time.monotonic() + within
        while self.heartbeat_age() > 1.5:
            if time.monotonic() > deadline:
                raise LabError(f"no heartbeat\n{tail(self.pbx.run / 'service.log')}")
            time.sleep(0.1)


@contextmanager
def office(run: Path) -> Iterator[Office]:
    """Start Asterisk, FastAGI and Dutyline."""
    tree = ensure_asterisk(default_cache(), print)
    version = [int(part) for part in tree.version.split(".")]
    pbx = Asterisk(tree, run, files=pbx_files((version[0], version[1])))
    phones = (PHONES_IP, pbx.trunk_port)
    pjsip, extensions = pbx.etc / "pjsip.conf", pbx.etc / "extensions.conf"
    pbx.write("pjsip.conf", pjsip.read_text(encoding="utf-8") + _pjsip(phones))
    text = extensions.read_text(encoding="utf-8")
    pbx.write(
        "extensions.conf",
        text.replace("[from-trunk]\n", "[from-trunk]\n" + _rivals(pbx.agi_port)),
    )
    addresses = Addresses(("127.0.0.1", pbx.sip_port), (pbx.trunk_ip, pbx.trunk_port), phones)
    database = run / "dutyline.db"
    seed(f"sqlite:///{database}")
    settings = {
        "DUTYLINE_DATABASE_URL": f"sqlite:///{database}",
        "DUTYLINE_DATA_DIR": str(run / "data"),
        "DUTYLINE_AMI_HOST": "127.0.0.1",
        "DUTYLINE_AMI_PORT": str(pbx.ami_port),
        "DUTYLINE_AMI_USER": USER,
        "DUTYLINE_AMI_SECRET": SECRET,
        "DUTYLINE_TOKEN": TOKEN,
        "DUTYLINE_COUNTRY": "RU",
    }
    dutyline = Process(run / "service.log", "telephony", "listen", env=settings)
    agi = Process(run / "fastagi.log", "tests.bench.fastagi", str(pbx.agi_port))
    with pbx:
        try:
            agi.start()
            dutyline.start()
            place = Office(pbx, addresses, dutyline, agi, database)
            place.wait_fresh()
            yield place
        finally:
            dutyline.stop()
            agi.stop()
