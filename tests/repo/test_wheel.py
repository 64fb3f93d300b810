"""The package holds what an installation needs besides code."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.repo.files import ROOT, python


def test_the_wheel_is_complete(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=100,
    )
    (wheel,) = tmp_path.glob("dutyline-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
    code = {str(path.relative_to(ROOT)) for part in ("telephony", "web") for path in python(part)}
    pages = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "web/templates").rglob("*")
        if path.is_file()
    }
    made = {
        "web/static/vendor/tabler.css",
        "web/static/vendor/htmx.js",
        "web/translations/ru/LC_MESSAGES/messages.mo",
    }
    assert code
    assert pages
    assert code | pages | made <= names, sorted((code | pages | made) - names)
    assert not [name for name in names if name.startswith("tests")]
