"""A real Chromium: the machine's own, or its release's package unpacked.

The driver is Playwright's; it never uses or downloads a browser of its own.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab import apt
from tests.lab.cache import Say, building, is_ready, locked, quiet
from tests.lab.errors import LabError

OLDEST = 120
_RECIPE = 1
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_PACKAGES = ("chromium", "fonts-dejavu-core")
# The machine's own C library must not be mixed with another build of it; the rest is not used.
_LEFT_OUT = ("libc6_", "libc-bin_", "libllvm", "libz3-", "libgl1-mesa-dri", "perl", "libperl")
_FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir prefix="relative">root/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
"""
# Silence towards the outside: the tests' pages come from this machine alone.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


@dataclass(frozen=True)
class ChromiumTree:
    """Where a Chromium is; `extra` goes into its environment, `version` is e.g. "156.0.8078.79"."""

    program: Path
    version: str
    extra: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """Return the whole environment it is started with."""
        return {**os.environ, **self.extra}


def ensure_chromium(cache: Path, say: Say = quiet, *, installed: bool = True) -> ChromiumTree:
    """Return the machine's Chromium unless `installed` is False, else fetch it into `cache`.

    $DUTYLINE_LAB_CHROMIUM names a program to use instead. Raises LabError.
    """
    forced = os.environ.get("DUTYLINE_LAB_CHROMIUM")
    if forced:
        return _checked(ChromiumTree(Path(forced), ""))
    if installed:
        for name in _PROGRAMS:
            found = shutil.which(name)
            if found:
                try:
                    return _checked(ChromiumTree(Path(found), ""))
                except LabError as error:
                    say(f"{error}; fetching another")
    return _checked(_fetched(cache, say, on_top=installed))


def _fetched(cache: Path, say: Say, *, on_top: bool) -> ChromiumTree:
    """Describe the package of this release, unpacked into the cache. Raises LabError."""
    name, codename = apt.distribution()
    if name == "ubuntu":
        raise LabError(
            "Ubuntu has Chromium as a snap only: install one (`snap install chromium`), or name "
            "one in DUTYLINE_LAB_CHROMIUM"
        )
    recipe = f"chromium recipe {_RECIPE} {codename} {apt.multiarch()} {_PACKAGES}\n"
    tree = cache / "chromium"
    with locked(cache, say):
        if not is_ready(tree, recipe):
            say(f"fetching Chromium from {codename} into {tree}")
            with building(tree, recipe) as fresh:
                debs = apt.fetch_debs(_PACKAGES, [codename], fresh / "work", on_top=on_top)
                kept = [deb for deb in debs if not deb.name.startswith(_LEFT_OUT)]
                say(f"unpacking {len(kept)} packages")
                apt.unpack(kept, fresh / "root")
                shutil.rmtree(fresh / "work")
                for below in ("doc", "locale", "man", "icons"):
                    shutil.rmtree(fresh / "root/usr/share" / below, ignore_errors=True)
                (fresh / "fonts.conf").write_text(_FONTS, encoding="utf-8")
    root = tree / "root"
    libraries = root / "usr" / "lib" / apt.multiarch()
    # Some libraries look for others in folders named with the root they were built for.
    apart = (libraries / "nss", libraries / "pulseaudio")
    folders = (libraries, *apart, root / "lib" / apt.multiarch())
    return ChromiumTree(
        root / "usr" / "lib" / "chromium" / "chromium",
        "",
        {
            "LD_LIBRARY_PATH": ":".join(map(str, folders)),
            "FONTCONFIG_FILE": str(tree / "fonts.conf"),
        },
    )


def _checked(tree: ChromiumTree) -> ChromiumTree:
    """Return the tree with its version. Raises LabError when it does not run or is too old."""
    try:
        done = subprocess.run(
            [str(tree.program), "--version"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=tree.environment(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"{tree.program} does not run: {error}") from error
    found = re.search(r"(\d+)(?:\.\d+){3}", done.stdout)
    if not found:
        raise LabError(f"{tree.program} does not run: {(done.stdout + done.stderr).strip()[:300]}")
    if int(found[1]) < OLDEST:
        raise LabError(f"{tree.program} is {found[0]}, older than {OLDEST}")
    return ChromiumTree(tree.program, found[0], tree.extra)
