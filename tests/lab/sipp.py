"""sipp for load: the machine's own or its release's package, and a run of a scenario."""

import csv
import os
import shutil
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from tests.lab import apt
from tests.lab.cache import Say, building, is_ready, locked, make_folder, quiet
from tests.lab.errors import LabError
from tests.lab.ports import free_port
from tests.lab.process import Server, tail

_RECIPE = 1
_SCENARIOS = Path(__file__).with_name("scenarios")


@dataclass(frozen=True)
class SippTree:
    """Where sipp is, and where its own libraries are ("" for the machine's)."""

    program: Path
    library_path: str


@dataclass(frozen=True)
class SippResult:
    """Calls of one run: how many began, succeeded and failed; sipp's exit code."""

    started: int
    succeeded: int
    failed: int
    exit_code: int


def ensure_sipp(cache: Path, say: Say = quiet, *, installed: bool = True) -> SippTree:
    """Return the machine's sipp unless `installed` is False, else fetch it; raises LabError."""
    found = shutil.which("sipp") if installed else None
    if found:
        return SippTree(Path(found), "")
    _, codename = apt.distribution()
    recipe = f"sipp recipe {_RECIPE} {codename} {apt.multiarch()}\n"
    tree = cache / "sipp"
    with locked(cache, say):
        if not is_ready(tree, recipe):
            say(f"fetching sipp from {codename} into {tree}")
            with building(tree, recipe) as fresh:
                work = fresh / "work"
                debs = apt.fetch_debs(["sip-tester"], [codename], work, on_top=True)
                # Another build of the C library than the machine's ld.so must not be loaded.
                kept = [deb for deb in debs if not deb.name.startswith(("libc6_", "libc-bin_"))]
                apt.unpack(kept, fresh / "root")
                shutil.rmtree(work)
    root = tree / "root" / "usr"
    return SippTree(root / "bin" / "sipp", str(root / "lib" / apt.multiarch()))


class Sipp:
    """One run of a scenario, "caller" or "operator", as a process beside.

    A caller makes `calls` calls at `rate` per second, from the numbers given, in turn; an operator
    answers until stopped. `pause` (s) is the talk of a caller and the ringing of an operator.
    """

    def __init__(
        self,
        tree: SippTree,
        run: Path,
        scenario: Literal["caller", "operator"],
        *,
        local: tuple[str, int],
        remote: tuple[str, int] | None = None,
        rate: float = 1.0,
        calls: int = 1,
        pause: float = 0.5,
        numbers: Sequence[str] = (),
        did: str = "74951234567",
    ) -> None:
        """`run` gets its files; without `numbers` each call comes from a number of its own."""
        self.run = make_folder(run)
        self.calls = calls
        self._scenario = scenario
        self._statistics = run / f"{scenario}.csv"
        self._output = run / f"{scenario}.log"
        self._statistics.unlink(missing_ok=True)
        self._environment = {**os.environ, "TERM": "dumb", "LC_ALL": "C"}
        if tree.library_path:
            self._environment["LD_LIBRARY_PATH"] = tree.library_path
        options: dict[str, object] = {
            "-sf": _SCENARIOS / f"{scenario}.xml",
            "-i": local[0],
            "-p": local[1],
            "-mi": local[0],
            "-mp": free_port(local[0], socket.SOCK_DGRAM),
            "-d": round(pause * 1000),
            "-stf": self._statistics,
            "-fd": 1,
        }
        if scenario == "caller":
            if remote is None:
                raise LabError("a caller needs a remote to call")
            people = numbers or [f"+7900{index:07d}" for index in range(1, calls + 1)]
            listed = run / "numbers.csv"
            rows = "".join(f"{number};{did}\n" for number in people)
            listed.write_text(f"SEQUENTIAL\n{rows}", encoding="ascii")
            # -l: the default limit of open calls would lower the rate unseen.
            options |= {"-inf": listed, "-r": rate, "-m": calls, "-l": max(calls, 10)}
        words = [str(word) for pair in options.items() for word in pair]
        target = [f"{remote[0]}:{remote[1]}"] if remote else []
        self._command = [str(tree.program), *words, "-trace_stat", "-nostdin", *target]
        self._server = Server("sipp", None, run, self._output)

    def start(self) -> None:
        """Start it; raises LabError."""
        self._server.spawn(self._command, self._environment)

    def wait(self, timeout: float) -> SippResult:
        """Wait until all calls are done; raises LabError after `timeout` seconds."""
        if not self._server.wait(timeout):
            self._server.kill()
            raise LabError(f"sipp not done after {timeout:.0f} s\n{tail(self._output)}")
        return self._result()

    def stop(self) -> SippResult:
        """End it now and return what it did."""
        self._server.kill()
        return self._result()

    def _result(self) -> SippResult:
        rows: list[dict[str, str]] = []
        if self._statistics.exists():
            with self._statistics.open(encoding="utf-8", newline="") as handle:
                rows = list(csv.DictReader(handle, delimiter=";"))
        if not rows:
            raise LabError(f"sipp left no statistics\n{tail(self._output)}")
        last = rows[-1]
        return SippResult(
            started=int(last["TotalCallCreated"]),
            succeeded=int(last["SuccessfulCall(C)"]),
            failed=int(last["FailedCall(C)"]),
            exit_code=self._server.exit_code or 0,
        )

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self._server.kill()
