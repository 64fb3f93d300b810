"""The repository's files, and tables and sections out of its documents."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_NOT_OURS = {".git", ".build", "__pycache__"}


@functools.cache
def tracked() -> tuple[Path, ...]:
    """Return every file that is, or with the next commit may be, in the repository."""
    git = ["git", "-C", str(ROOT)]
    try:
        top = subprocess.run(
            [*git, "rev-parse", "--show-toplevel"], capture_output=True, text=True, check=True
        ).stdout.strip()
        if Path(top).resolve() != ROOT:
            return _walked()
        listed = subprocess.run(
            [*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return _walked()
    paths = sorted({ROOT / name for name in listed.split("\0") if name})
    return tuple(path for path in paths if path.is_file())


def _walked() -> tuple[Path, ...]:
    """Return what lies in the folder, without what tools leave there."""
    found: list[Path] = []
    for folder, below, names in os.walk(ROOT):
        here = Path(folder)
        below[:] = [name for name in below if not _left_by_tools(here / name)]
        found += [here / name for name in names]
    return tuple(sorted(found))


def _left_by_tools(folder: Path) -> bool:
    return (
        folder.name in _NOT_OURS
        or folder.name.endswith((".egg-info", "_cache"))
        or (folder / ".gitignore").is_file()
    )


def documents() -> tuple[Path, ...]:
    """Return the Markdown files."""
    return tuple(path for path in tracked() if path.suffix == ".md")


def python(folder: str) -> tuple[Path, ...]:
    """Return the Python files below a folder of the repository."""
    return tuple(
        path for path in tracked() if path.suffix == ".py" and path.is_relative_to(ROOT / folder)
    )


def read(name: str) -> str:
    """Return the text of a file, named from the top."""
    return (ROOT / name).read_text(encoding="utf-8")


def project() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads(read("pyproject.toml"))


def section(text: str, heading: str) -> str:
    """Return what stands under a heading of the second level."""
    match = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert match, f"there is no heading “## {heading}”"
    return match[1]


def table(text: str) -> list[list[str]]:
    """Return the rows of the first table in a text, without its heading."""
    match = re.search(r"^\|.*\n\|[ :|-]+\n((?:\|.*\n?)+)", text, re.M)
    assert match, "there is no table"
    return [
        [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        for line in match[1].splitlines()
    ]


def codes(text: str) -> list[str]:
    """Return what stands in backticks, in order."""
    return re.findall(r"`([^`\n]+)`", text)


def first_codes(text: str) -> list[str]:
    """Return the code in the first cell of every row of the first table."""
    return [code for row in table(text) for code in codes(row[0])]
