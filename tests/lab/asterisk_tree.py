"""A real Asterisk: the machine's own, or Debian's unpacked and run through its own ld.so."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.lab import apt
from tests.lab.cache import Say, building, is_ready, locked, quiet
from tests.lab.errors import LabError

OLDEST = (18, 6)
_RECIPE = 1
_SYSTEM = Path("/usr/sbin/asterisk")
_LIST = Path(__file__).with_name("modules.txt")
_PACKAGES = ("asterisk", "asterisk-core-sounds-ru-gsm")
_SOUNDS = {"en": "en_US_f_Allison", "ru": "ru_RU_f_IvrvoiceRU"}
# Loaded by name at run time, so no list of dependencies shows them.
_NAMED_LIBRARIES = ("libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2", "libgcc_s.so.1")


@dataclass(frozen=True)
class AsteriskTree:
    """Where an Asterisk is: `argv` starts it, the rest goes into its asterisk.conf.

    `version` is digits and dots, e.g. "22.10.1". `library_path` is None for a system one.
    """

    argv: tuple[str, ...]
    modules: Path
    data: Path
    version: str
    library_path: Path | None


def wanted_modules() -> tuple[str, ...]:
    """Return the names of the modules the lab loads, without ".so", in loading order."""
    lines = _LIST.read_text(encoding="ascii").splitlines()
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def ensure_asterisk(cache: Path, say: Say = quiet) -> AsteriskTree:
    """Return an Asterisk, fetching it into `cache` (36–48 MB) if it is not there yet.

    $DUTYLINE_LAB_ASTERISK names a program to use instead. On Ubuntu an installed one that is new
    enough is used, else the release's package is unpacked; on Debian forky's, then sid's.
    Raises LabError.
    """
    forced = os.environ.get("DUTYLINE_LAB_ASTERISK")
    if forced:
        return _system(Path(forced))
    name, codename = apt.distribution()
    if name == "ubuntu" and _SYSTEM.exists():
        try:
            return _system(_SYSTEM)
        except LabError as error:
            say(f"{error}; fetching another")
    suites = (codename,) if name == "ubuntu" else ("forky", "sid")
    digest = hashlib.sha256(_LIST.read_bytes()).hexdigest()[:16]
    recipe = f"asterisk recipe {_RECIPE} modules {digest} {name} {apt.multiarch()}\n"
    tree = cache / "asterisk"
    with locked(cache, say):
        if not is_ready(tree, recipe):
            say(f"fetching Asterisk from {' or '.join(suites)} into {tree}")
            with building(tree, recipe) as fresh:
                _build(fresh, suites, say)
    return _unpacked(tree)


def _system(program: Path) -> AsteriskTree:
    """Describe an installed Asterisk; raises LabError when it is too old or its parts hide."""
    if not program.exists():
        raise LabError(f"there is no {program}: set DUTYLINE_LAB_ASTERISK to an Asterisk")
    version = _version((str(program),))
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        raise LabError(f"{program} is {version}, older than 18.6")
    prefix = program.resolve().parents[1]
    triplet = apt.multiarch()
    modules = _first(
        prefix / lib / "asterisk" / "modules" for lib in (f"lib/{triplet}", "lib64", "lib")
    )
    data = _first([prefix / "share" / "asterisk", Path("/var/lib/asterisk")])
    return AsteriskTree((str(program),), modules, data, version, None)


def _first(folders: Iterable[Path]) -> Path:
    """Return the first folder that exists; raises LabError."""
    looked = list(folders)
    for folder in looked:
        if folder.is_dir():
            return folder
    raise LabError("the Asterisk found lacks " + " or ".join(map(str, looked)))


def _version(argv: tuple[str, ...]) -> str:
    """Ask a program for its version, as "22.10.1"; raises LabError."""
    try:
        done = subprocess.run(
            [*argv, "-V"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"{argv[-1]} does not run: {error}") from error
    found = re.search(r"Asterisk (?:certified/)?(\d+\.\d+(?:\.\d+)?)", done.stdout)
    if not found:
        raise LabError(f"{argv[-1]} does not run: {(done.stdout + done.stderr).strip()[:300]}")
    return found[1]


def _unpacked(tree: Path) -> AsteriskTree:
    """Describe the tree made by `_build`; raises LabError when it does not run."""
    libraries = tree / "usr" / "lib" / apt.multiarch()
    argv = (
        str(_loader(libraries)),
        "--argv0",
        "asterisk",
        "--library-path",
        str(libraries),
        str(tree / "usr" / "sbin" / "asterisk"),
    )
    modules = libraries / "asterisk" / "modules"
    return AsteriskTree(
        argv, modules, tree / "usr" / "share" / "asterisk", _version(argv), libraries
    )


def _loader(libraries: Path) -> Path:
    """Return the tree's own ld.so; raises LabError."""
    found = sorted(libraries.glob("ld-linux*.so.*"))
    if not found:
        raise LabError(f"no ld.so in {libraries}: remove the cache and fetch again")
    return found[0]


def _build(fresh: Path, suites: tuple[str, ...], say: Say) -> None:
    """Fetch, unpack and prune an Asterisk into the empty folder `fresh`."""
    work = fresh / "work"
    debs = apt.fetch_debs(_PACKAGES, suites, work)
    say(f"unpacking {len(debs)} packages")
    root = work / "root"
    apt.unpack(debs, root)
    source = root / "usr" / "lib" / apt.multiarch()
    target = fresh / "usr" / "lib" / apt.multiarch()
    (target / "asterisk" / "modules").mkdir(parents=True)
    (fresh / "usr" / "sbin").mkdir()
    program = fresh / "usr" / "sbin" / "asterisk"
    shutil.copy2(root / "usr" / "sbin" / "asterisk", program)
    binaries = [program]
    for name in wanted_modules():
        module = source / "asterisk" / "modules" / f"{name}.so"
        if module.exists():
            binaries.append(target / "asterisk" / "modules" / module.name)
            shutil.copy2(module, binaries[-1])
    data = fresh / "usr" / "share" / "asterisk"
    shutil.copytree(root / "usr" / "share" / "asterisk", data, symlinks=True)
    for link, folder in _SOUNDS.items():
        # Made by update-alternatives in the packages' scripts, which are not run here.
        if (data / "sounds" / folder).is_dir() and not (data / "sounds" / link).exists():
            (data / "sounds" / link).symlink_to(folder)
    loader = _loader(source)
    for library in _needed(loader, source, binaries):
        shutil.copy2(library, target / library.name)
    for library in (loader, *(source / name for name in _NAMED_LIBRARIES)):
        if library.exists():
            shutil.copy2(library, target / library.name)
    shutil.rmtree(work)


def _needed(loader: Path, libraries: Path, binaries: list[Path]) -> set[Path]:
    """Return the libraries which `binaries` load, asking the tree's own ld.so."""

    def ask(binary: Path) -> list[str]:
        command = [str(loader), "--library-path", str(libraries), "--list", str(binary)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return re.findall(r"=> (/\S+)", done.stdout)

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return {Path(found) for answer in pool.map(ask, binaries) for found in answer}
