"""Packages from the machine's own mirror into private folders, without root.

apt keeps its state, lists and archives in a folder of ours; signatures are checked as usual.
"""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.lab.cache import make_folder
from tests.lab.errors import LabError

_KEYRINGS = {
    "debian": "/usr/share/keyrings/debian-archive-keyring.gpg",
    "ubuntu": "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
}
_DPKG_STATUS = Path("/var/lib/dpkg/status")
_UPDATE_SECONDS = 300
_DOWNLOAD_SECONDS = 900


@dataclass(frozen=True)
class Source:
    """One line of the machine's apt configuration: a repository, a suite, its components."""

    uri: str
    suite: str
    components: tuple[str, ...]


def distribution() -> tuple[str, str]:
    """Return (id, codename), e.g. ("debian", "bookworm"); raises LabError elsewhere."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    names = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    codename = release.get("UBUNTU_CODENAME") or release.get("VERSION_CODENAME", "")
    if "ubuntu" in names:
        return "ubuntu", codename
    if "debian" in names:
        return "debian", codename
    raise LabError("the lab fetches packages on Debian and Ubuntu only: install them yourself")


def machine_sources() -> list[Source]:
    """Return the machine's own sources for its own release (with updates and security).

    Raises LabError when apt is absent or knows no repository of that release.
    """
    _, codename = distribution()
    form = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)"
    text = _run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"], 60)
    found: dict[tuple[str, str], set[str]] = {}
    for line in text.splitlines():
        uri, _, rest = line.partition("|")
        suite, _, component = rest.partition("|")
        if suite in (codename, f"{codename}-updates", f"{codename}-security"):
            found.setdefault((uri, suite), set()).add(component)
    sources = [Source(uri, suite, tuple(sorted(parts))) for (uri, suite), parts in found.items()]
    sources.sort(key=lambda source: source.suite != codename)
    if not sources or sources[0].suite != codename:
        raise LabError(f"apt on this machine knows no repository of {codename or 'its release'}")
    return sources


def fetch_debs(
    packages: Sequence[str], suites: Sequence[str], work: Path, *, on_top: bool = False
) -> list[Path]:
    """Download `packages` with all they need into `work`; return the .deb files.

    `suites` are tried in turn; the machine's own codename takes its updates and security too, any
    other comes from the same mirror. With `on_top` what the machine has installed is left out (a
    package already installed then gives nothing); otherwise the closure is complete, libc too.
    Raises LabError with apt's last words when no suite has them.
    """
    reasons = []
    for suite in suites:
        try:
            return _fetch_from(suite, packages, make_folder(work / suite), on_top)
        except LabError as error:
            reasons.append(f"{suite}: {error}")
    raise LabError(
        f"could not get {', '.join(packages)} from the machine's package mirror; check that "
        "`apt-get update` works and the archive keyring is current\n" + "\n".join(reasons)
    )


def _fetch_from(suite: str, packages: Sequence[str], work: Path, on_top: bool) -> list[Path]:
    """Do what `fetch_debs` says for one suite."""
    archives = work / "cache" / "archives"
    make_folder(archives / "partial")
    make_folder(work / "state" / "lists" / "partial")
    make_folder(work / "empty")
    # A copy: apt locks the folder of the status file, which only root may do in the real one.
    status = work / "status"
    status.write_bytes(_DPKG_STATUS.read_bytes() if on_top else b"")
    (work / "sources.list").write_text(_source_lines(suite), encoding="utf-8")
    settings = {
        "Dir::Etc::SourceList": work / "sources.list",
        "Dir::Etc::SourceParts": work / "empty",
        "Dir::Etc::Preferences": "/dev/null",
        "Dir::Etc::PreferencesParts": work / "empty",
        "Dir::State": work / "state",
        "Dir::State::status": status,
        "Dir::State::extended_states": work / "state" / "extended",
        "Dir::Cache": work / "cache",
        "Dir::Cache::archives": archives,
        "APT::Install-Recommends": 0,
        "APT::Install-Suggests": 0,
        "APT::Sandbox::User": "",
        "APT::Get::Assume-Yes": 1,
        "Acquire::Languages": "none",
        "Acquire::Retries": 3,
    }
    apt = ["apt-get", "-q"]
    for key, value in settings.items():
        apt += ["-o", f"{key}={value}"]
    _run([*apt, "--error-on=any", "update"], _UPDATE_SECONDS)
    _run([*apt, "--download-only", "install", *packages], _DOWNLOAD_SECONDS)
    return sorted(archives.glob("*.deb"))


def _source_lines(suite: str) -> str:
    """Return a sources.list for `suite` out of the machine's own configuration."""
    name, codename = distribution()
    mine = machine_sources()
    if suite != codename:
        mine = [Source(mine[0].uri, suite, ("main",))]
    keyring = _KEYRINGS[name]
    option = f"[signed-by={keyring}] " if Path(keyring).exists() else ""
    return "".join(
        f"deb {option}{source.uri} {source.suite} {' '.join(source.components)}\n"
        for source in mine
    )


def unpack(debs: Sequence[Path], root: Path) -> None:
    """Unpack `debs` into the new folder `root`, running none of their scripts.

    Raises LabError when one is broken.
    """
    # Without these links dpkg-deb makes real folders and the libraries are found in two places.
    for name in ("bin", "sbin", "lib", "lib64"):
        make_folder(root / "usr" / name)
        link = root / name
        if not link.is_symlink():
            link.symlink_to(f"usr/{name}")

    def extract(deb: Path) -> None:
        _run(["dpkg-deb", "--extract", str(deb), str(root)], 300)

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        list(pool.map(extract, debs))


def multiarch() -> str:
    """Return the triplet of library folders, e.g. "x86_64-linux-gnu"."""
    arch = platform.machine()
    return {"i686": "i386-linux-gnu", "armv7l": "arm-linux-gnueabihf"}.get(
        arch, f"{arch}-linux-gnu"
    )


def _run(command: Sequence[str], timeout: float) -> str:
    """Run a tool and return its output; raises LabError with the tail of what it said."""
    if shutil.which(command[0]) is None:
        raise LabError(f"{command[0]} is not on this machine: the lab needs Debian or Ubuntu")
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LabError(f"{command[0]} did not end within {timeout:.0f} s") from None
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        errors = [line for line in said if re.match(r"[EW]:", line)] or said
        raise LabError(f"{command[0]} failed: " + "; ".join(errors[-4:]))
    return done.stdout
