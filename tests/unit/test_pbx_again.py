"""`dutyline pbx-config --again`: the files say how they were made, and are made so once more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.test_cli import Admin, admin, company

__all__ = ["admin", "company"]

FIRST = (
    "pbx-config", "--fallback", "endpoints:101,102", "--asterisk-version", "22.10.1",
    "--mobile-trunk", "city-1", "--mobile-plus", "--no-screen", "--lunch-code", "*71",
    "--company-number", "+74951234567",
)  # fmt: skip
EXTENSIONS = "dutyline_extensions.conf"


@pytest.fixture
def folder(company: Admin) -> Path:
    found = company.folder / "asterisk"
    company.says(*FIRST, "--write", str(found))
    return found


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.iterdir())}


def test_the_same_files_are_made_again_from_what_they_say(company: Admin, folder: Path) -> None:
    before = files(folder)
    head = before[EXTENSIONS].splitlines()[0]
    assert "--fallback endpoints:101,102" in head
    assert "--mobile-trunk city-1 --company-number +74951234567 --mobile-plus" in head
    assert "--no-screen" in head
    assert "--prompts" not in head, "what is usual is left out"
    said = company.says("pbx-config", "--again", str(folder))
    assert "was made with other options" not in said
    after = files(folder)
    assert after.keys() == before.keys()
    assert after[EXTENSIONS] == before[EXTENSIONS]
    assert after["dutyline_manager.conf"] == before["dutyline_manager.conf"]


def test_an_option_given_besides_counts_and_is_kept(company: Admin, folder: Path) -> None:
    said = company.says("pbx-config", "--again", str(folder), "--mobile-trunk", "gsm")
    assert "was made with other options" in said
    text = files(folder)[EXTENSIONS]
    assert "@gsm," in text
    assert "city-1" not in text
    company.says("pbx-config", "--again", str(folder))
    assert files(folder)[EXTENSIONS] == text


def test_files_made_with_other_options_are_told_of(company: Admin, folder: Path) -> None:
    said = company.says(
        "pbx-config", "--fallback", "queue:q", "--asterisk-version", "22.10", "--write", str(folder)
    )
    assert "was made with other options" in said
    assert "--mobile-trunk city-1" in said


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ("; Written by hand", "does not say how it was made"),
        ("; Made by: dutyline pbx-config --moon 1", "the first line"),
        ("; Made by: dutyline pbx-config 'x", "the first line"),
        ("; Made by: dutyline pbx-config --mobile-plus more", "was changed by hand"),
        ("; Made by: dutyline pbx-config --fallback moon --asterisk-version 22.10", "use queue:"),
    ],
)
def test_a_head_that_cannot_be_used_changes_nothing(
    company: Admin, folder: Path, first: str, words: str
) -> None:
    (folder / EXTENSIONS).write_text(f"{first}\n")
    before = files(folder)
    assert words in company.refuses("pbx-config", "--again", str(folder))
    assert files(folder) == before


def test_a_folder_without_files_of_ours(company: Admin) -> None:
    assert "cannot be read" in company.refuses("pbx-config", "--again", str(company.folder))
