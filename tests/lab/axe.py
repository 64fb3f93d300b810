"""axe-core, which looks for what people with disabilities cannot use; from npm, pinned."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from tests.lab.cache import Say, building, is_ready, locked, quiet
from tests.lab.errors import LabError
from web.assets import AssetsError, check_integrity, npm

VERSION = "4.14.1"
INTEGRITY = (
    "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/"
    "pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)
_FILE = "package/axe.min.js"


def ensure_axe(cache: Path, say: Say = quiet) -> str:
    """Return axe-core's source, fetching the package into `cache` once. Raises LabError."""
    tree = cache / "axe"
    with locked(cache, say):
        if not is_ready(tree, f"axe-core {VERSION} {INTEGRITY}\n"):
            say(f"fetching axe-core {VERSION} into {tree}")
            with building(tree, f"axe-core {VERSION} {INTEGRITY}\n") as fresh:
                (fresh / "axe.min.js").write_bytes(_fetched(fresh))
    return (tree / "axe.min.js").read_text(encoding="utf-8")


def _fetched(folder: Path) -> bytes:
    """Fetch and check the package in `folder`; return the one file of it that is used."""
    environment = {**os.environ, "npm_config_cache": str(folder / "npm"), "NO_COLOR": "1"}
    try:
        done = subprocess.run(
            [*npm(), "pack", f"axe-core@{VERSION}", "--silent", "--ignore-scripts"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    except (AssetsError, OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"npm does not run: {error}") from error
    if done.returncode:
        raise LabError(f"npm could not get axe-core: {done.stderr.strip()[-500:]}")
    package = folder / f"axe-core-{VERSION}.tgz"
    if not check_integrity(package.read_bytes(), INTEGRITY):
        raise LabError(f"axe-core {VERSION} is not what it was: its hash differs")
    with tarfile.open(package) as archive:
        member = archive.extractfile(_FILE)
        if member is None:
            raise LabError(f"axe-core {VERSION} has no {_FILE}")
        text = member.read()
    package.unlink()
    shutil.rmtree(folder / "npm", ignore_errors=True)
    return text
